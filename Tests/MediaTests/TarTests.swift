import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// Videos and stills in tar archives, read where they lie.
@Suite struct TarTests {
    private static let long = "a-name-of-" + String(repeating: "many-", count: 22) + "letters.mp4"

    /// Clips and a still under "in", and an archive of them by GNU tar under "packed".
    private func pack(_ folder: String, _ options: [String]) throws {
        for part in ["/in/below/.hidden", "/packed/s"] {
            try FileManager.default.createDirectory(atPath: folder + part, withIntermediateDirectories: true)
        }
        try writeTestClip(folder + "/in/a.mp4", frames: 40)
        try writeTestClip(folder + "/in/below/b.mkv", width: 64, height: 48, frames: 9)
        try writeTestClip(folder + "/in/below/.hidden/c.mp4", frames: 3)
        if !options.contains("--format=ustar") { try writeTestClip(folder + "/in/" + Self.long, frames: 5) }
        try FileManager.default.copyItem(atPath: fixture("Stills/420.jpg"), toPath: folder + "/in/d.jpg")
        try Data("{}".utf8).write(to: URL(fileURLWithPath: folder + "/in/a.json"))
        let (status, output) = try Programs.run(
            path: "/bin/tar", options + ["-cf", folder + "/packed/s/0.tar", "-C", folder + "/in", "."])
        #expect(status == 0, "\(output)")
    }

    private func pixels(_ record: VideoRecord, in folder: String, verified: Bool = true) throws -> [UInt8] {
        let frames = record.isStill ? [0] : [record.frameCount - 1, 1, record.frameCount / 2]
        let requests = frames.map {
            PictureRequest(frame: $0, box: CropBox(x: 3, y: 2, width: record.width - 7, height: record.height - 5), size: 24)
        }
        var bytes = [UInt8](repeating: 0, count: requests.count * requests[0].byteCount)
        try bytes.withUnsafeMutableBytes { memory in
            try PictureReader(media: MediaRoot(folder), verifiesContent: verified).read(requests, of: record) {
                UnsafeMutableRawBufferPointer(rebasing: memory[($0 * requests[0].byteCount)...])
            }
        }
        return bytes
    }

    @Test(arguments: ["--format=gnu", "--format=pax", "--format=ustar"])
    func membersAreReadWhereTheyLie(format: String) throws {
        try withTemporaryFolder { folder in
            try pack(folder, [format])
            let expected = try Preparation(folder: folder + "/in", jobs: 1).run().manifest.records()
            let summary = try Preparation(folder: folder + "/packed", jobs: 2).run()
            let records = try summary.manifest.records()
            #expect(records.count == (format == "--format=ustar" ? 3 : 4))
            #expect(records.map(\.path) == expected.map { "s/0.tar/" + $0.path })
            let archive = try Data(contentsOf: URL(fileURLWithPath: folder + "/packed/s/0.tar"))
            for (record, alone) in zip(records, expected) {
                let place = try #require(record.archive)
                let file = try Data(contentsOf: URL(fileURLWithPath: folder + "/in/" + alone.path))
                #expect(archive[place.offset..<place.offset + record.bytes] == file)
                var same = record
                (same.path, same.archive) = (alone.path, nil)
                #expect(same == alone)
                #expect(try pixels(record, in: folder + "/packed") == pixels(alone, in: folder + "/in"))
            }
            // Nothing is read twice, and nothing again that has not changed.
            #expect(try Preparation(folder: folder + "/packed", jobs: 2).run().counts.unchanged == records.count)
        }
    }

    @Test func membersAreEncodedAnew() throws {
        try withTemporaryFolder { folder in
            try pack(folder, [])
            let small = Transcoding(shortSide: 32, groupOfPictures: 4, bFrames: 0, pictureRate: nil)
            let summary = try Preparation(folder: folder + "/packed", output: folder + "/small", transcoding: small, jobs: 1).run()
            let records = try summary.manifest.records()
            #expect(records.map(\.path) == ["s/0.tar/" + Self.long, "s/0.tar/a.mp4", "s/0.tar/below/b.mp4"])
            #expect(records.allSatisfy { $0.archive == nil })
            #expect(records.map(\.frameCount) == [5, 40, 9])
            _ = try pixels(records[1], in: folder + "/small")
        }
    }

    /// An archive that was packed anew is another one, whether its length tells or only its content.
    @Test func aChangedArchiveIsNoticed() throws {
        try withTemporaryFolder { folder in
            try pack(folder, [])
            let record = try Preparation(folder: folder + "/packed", jobs: 1).run().manifest.records()[1]
            let path = URL(fileURLWithPath: folder + "/packed/s/0.tar")
            var bytes = try Data(contentsOf: path)
            bytes[record.archive!.offset + record.bytes / 2] ^= 0x55
            try bytes.write(to: path)
            var error = #expect(throws: MediaError.self) { try pixels(record, in: folder + "/packed") }
            #expect(error?.reason == .changed && error?.detail.contains("has the MD5 sum") == true, "\(String(describing: error))")
            try (bytes + Data(repeating: 0, count: 512)).write(to: path)
            error = #expect(throws: MediaError.self) { try pixels(record, in: folder + "/packed", verified: false) }
            #expect(error?.reason == .changed && error?.detail.contains("its archive has") == true, "\(String(describing: error))")
        }
    }

    /// Archives that are none, cut off in a member, and empty; with a good one beside them.
    @Test func brokenArchivesAreRejected() throws {
        try withTemporaryFolder { folder in
            try pack(folder, [])
            let packed = URL(fileURLWithPath: folder + "/packed")
            let whole = try Data(contentsOf: packed.appendingPathComponent("s/0.tar"))
            let record = try Preparation(folder: folder + "/packed", output: folder + "/out", jobs: 1).run().manifest.records()[1]
            try whole.prefix(record.archive!.offset + record.bytes - 40).write(to: packed.appendingPathComponent("cut.tar"))
            try Data("no archive, but some text that is long enough".utf8).write(to: packed.appendingPathComponent("text.tar"))
            try Data().write(to: packed.appendingPathComponent("void.tar"))
            let summary = try Preparation(folder: folder + "/packed", output: folder + "/out", jobs: 1).run()
            #expect(try summary.manifest.records().count >= 4)
            let rejects = try String(contentsOfFile: folder + "/out/rejects.jsonl", encoding: .utf8)
            for name in ["cut.tar", "text.tar", "void.tar"] { #expect(rejects.contains("\"path\":\"\(name)"), "\(rejects)") }
            #expect(rejects.contains("compressed as a whole"), "\(rejects)")
        }
    }
}
