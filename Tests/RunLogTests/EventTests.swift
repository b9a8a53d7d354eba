import Base
import Foundation
import RunLog
import TestSupport
import Testing

struct EventTests {
    /// RFC 3720, appendix B.4.
    @Test(
        arguments: [
            ([UInt8]("123456789".utf8), 0xe306_9283),
            ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
            ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
            ([UInt8](0..<32), 0x46dd_794e),
        ] as [([UInt8], UInt32)])
    func crc32cKnownAnswers(_ bytes: [UInt8], _ crc: UInt32) {
        #expect(crc32c(bytes) == crc)
    }

    /// Bytes by tensorboard 2.20: its Event messages through its RecordWriter.
    @Test(arguments: [
        (
            EventRecord.fileVersion(wallTime: 1.5e9),
            "1800000000000000a37f4b2209000000c00b5ad6411a0d627261696e2e4576656e743a324ca9a464"
        ),
        (
            EventRecord.sessionStart(wallTime: 1.5e9, step: 301),
            "100000000000000095fbfe1809000000c00b5ad64110ad023a020801a62462fc"
        ),
        (
            EventRecord.scalars(wallTime: 1.5e9, step: 300, [(tag: "train/loss", value: 0.75), (tag: "lr", value: 1e-3)]),
            "2c00000000000000f4aecc4509000000c00b5ad64110ac022a1e0a110a0a747261696e2f6c6f7373150000403f0a090a026c72156f12833ae3c3ecd6"
        ),
        (
            EventRecord.image(wallTime: 1.5e9, step: 7, tag: "f", png: Array("png".utf8), width: 3, height: 2),
            "1f00000000000000514b441809000000c00b5ad64110072a120a100a0166220b0802100318032203706e676dedced0"
        ),
    ])
    func recordsEqualTensorBoards(_ record: [UInt8], _ hexadecimal: String) {
        #expect(record.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == hexadecimal)
    }

    @Test func fileBeginsWithVersionAndSessionStart() throws {
        let folder = try TemporaryFolder()
        let writer = try EventWriter(folder: folder.path, continuingAfter: 300)
        try writer.scalars(step: 301, [(tag: "train/loss", value: 1)])
        let names = try folder.contents()
        #expect(names.count == 1 && names[0].hasPrefix("events.out.tfevents."))
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file(names[0]))))
        let start = EventRecord.sessionStart(wallTime: 0, step: 301)
        let version = EventRecord.fileVersion(wallTime: 0)
        let scalars = EventRecord.scalars(wallTime: 0, step: 301, [(tag: "train/loss", value: 1)])
        #expect(bytes.count == version.count + start.count + scalars.count)
        // The same record but for the wall time (9 bytes after the frame's 12) and the checksum (the last 4).
        let found = bytes[version.count..<version.count + start.count]
        #expect(Array(found.dropFirst(21).dropLast(4)) == Array(start.dropFirst(21).dropLast(4)))
    }

    /// TensorBoard reads files in the order of their names.
    @Test func aLaterFileHasALaterName() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(fileURLWithPath: folder.file("events.out.tfevents.9000000000.host.99")))
        for _ in 0..<3 { try EventWriter(folder: folder.path, continuingAfter: 300).scalars(step: 301, [(tag: "train/loss", value: 1)]) }
        let times = try folder.contents().map { $0.split(separator: ".")[3] }
        #expect(times == ["9000000000", "9000000001", "9000000002", "9000000003"])
    }
}
