import Base
import Foundation

/// A zip archive as `torch.save` writes it, put together byte by byte, so that tests can break it.
struct TorchArchive {
    var records: [(name: String, content: [UInt8])]
    /// The compression method that the directory claims.
    var method: UInt16 = 0
    /// Whether sizes and places stand in the 64-bit fields, as those of files beyond 4 GB do.
    var is64Bit = false
    /// Whether checksums are computed; PyTorch can be told to leave zeros.
    var hasChecksums = true

    /// An archive of this pickle and these storages.
    init(pickle: [UInt8], storages: [String: [UInt8]] = [:]) {
        records = [("archive/data.pkl", pickle), ("archive/byteorder", Array("little".utf8))]
        records += storages.sorted { $0.key < $1.key }.map { ("archive/data/" + $0.key, $0.value) }
    }

    var bytes: [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for (name, content) in records {
            let checksum = hasChecksums ? Self.crc32(content) : 0
            let (size, start) = (UInt32(content.count), UInt32(file.count))
            let sizes = little(checksum) + little(size) + little(size)
            let extra = little(UInt16(1)) + little(UInt16(24)) + little(UInt64(size)) + little(UInt64(size)) + little(UInt64(start))
            file += [0x50, 0x4b, 3, 4, 0, 0, 0, 0] + little(method) + [0, 0, 0, 0] + sizes
            file += little(UInt16(name.utf8.count)) + [0, 0] + Array(name.utf8) + content
            directory += [0x50, 0x4b, 1, 2, 0, 0, 0, 0, 0, 0] + little(method) + [0, 0, 0, 0]
            directory += is64Bit ? little(checksum) + [UInt8](repeating: 0xff, count: 8) : sizes
            directory += little(UInt16(name.utf8.count)) + little(UInt16(is64Bit ? extra.count : 0)) + [UInt8](repeating: 0, count: 10)
            directory += (is64Bit ? little(UInt32.max) : little(start)) + Array(name.utf8) + (is64Bit ? extra : [])
        }
        if is64Bit { return file + directory + end64(directory: directory.count, start: file.count) }
        let count = little(UInt16(records.count))
        let end = [0x50, 0x4b, 5, 6, 0, 0, 0, 0] + count + count + little(UInt32(directory.count)) + little(UInt32(file.count)) + [0, 0]
        return file + directory + end
    }

    /// The 64-bit end of the directory, its locator, and an end record that points there.
    private func end64(directory: Int, start: Int) -> [UInt8] {
        let count = little(UInt64(records.count))
        let end = [0x50, 0x4b, 6, 6] + little(UInt64(44)) + [UInt8](repeating: 0, count: 12) + count + count
        let locator = [0x50, 0x4b, 6, 7, 0, 0, 0, 0] + little(UInt64(start + directory)) + [1, 0, 0, 0]
        return end + little(UInt64(directory)) + little(UInt64(start)) + locator + [0x50, 0x4b, 5, 6, 0, 0, 0, 0]
            + [UInt8](repeating: 0xff, count: 12) + [0, 0]
    }

    private func little(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) } }

    /// Bit by bit, to judge the table in the library.
    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
    }
}

/// Pickles, written instruction by instruction.
enum PickleBytes {
    static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }

    static func text(_ text: String) -> [UInt8] {
        [UInt8(ascii: "X")] + withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { [UInt8]($0) } + Array(text.utf8)
    }

    static func integer(_ value: Int) -> [UInt8] {
        [0x8a, 8] + withUnsafeBytes(of: Int64(value).littleEndian) { [UInt8]($0) }
    }

    static func tuple(_ values: [[UInt8]]) -> [UInt8] { [UInt8(ascii: "(")] + values.flatMap { $0 } + [UInt8(ascii: "t")] }

    static func call(_ function: [UInt8], _ arguments: [[UInt8]]) -> [UInt8] { function + tuple(arguments) + [UInt8(ascii: "R")] }

    static func dictionary(_ members: [(String, [UInt8])]) -> [UInt8] {
        Array("}(".utf8) + members.flatMap { text($0.0) + $0.1 } + [UInt8(ascii: "u")]
    }

    /// A float tensor over storage `0`.
    ///
    /// - Parameter metadata: the bits that PyTorch stores beside it, such as `neg`.
    static func tensor(
        count: Int, offset: Int = 0, shape: [Int], strides: [Int], type: String = "FloatStorage", metadata: [(String, [UInt8])]? = nil
    ) -> [UInt8] {
        let storage = tuple([text("storage"), global("torch", type), text("0"), text("cpu"), integer(count)]) + [UInt8(ascii: "Q")]
        return call(
            global("torch._utils", "_rebuild_tensor_v2"),
            [storage, integer(offset), tuple(shape.map(integer)), tuple(strides.map(integer)), [0x89], dictionary([])]
                + (metadata.map { [dictionary($0)] } ?? []))
    }

    static func whole(_ value: [UInt8]) -> [UInt8] { [0x80, 2] + value + [UInt8(ascii: ".")] }
}
