import Foundation
import Media
import Pictures
import Sampling
import TestSupport
import Testing

/// Folders of stills, and of stills and videos, and what is no picture.
@Suite struct StillPreparationTests {
    private func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture("Stills/" + name)))) }

    private func write(_ bytes: some Sequence<UInt8>, _ path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

    /// Copies of fixtures, as ImageNet has them, two of them under each other's endings; and a video.
    private func fill(_ folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder + "/train/n01440764", withIntermediateDirectories: true)
        try write(bytes("420.jpg"), folder + "/train/n01440764/n01440764_10.JPEG")
        try write(bytes("colours.png"), folder + "/train/n01440764/n01440764_9.JPEG")
        try write(bytes("lossy.webp"), folder + "/train/a.webp")
        try write(bytes("cmyk.jpg"), folder + "/b.png")
        try writeTestClip(folder + "/train/clip.mp4", frames: 12)
    }

    @Test func stillsAndVideosShareAManifest() throws {
        try withTemporaryFolder { folder in
            try fill(folder)
            let summary = try Preparation(folder: folder, jobs: 2).run()
            let records = try summary.manifest.records()
            #expect(
                records.map(\.path) == [
                    "b.png", "train/a.webp", "train/clip.mp4", "train/n01440764/n01440764_10.JPEG", "train/n01440764/n01440764_9.JPEG",
                ])
            #expect(records.map(\.frameCount) == [1, 1, 12, 1, 1] && summary.manifest.holdsStills)
            #expect(records.filter(\.isStill).allSatisfy { $0.width == 67 && $0.height == 45 })
            #expect(summary.counts.stills == 4 && summary.counts.videos == 1 && summary.counts.frames == 12)

            let again = try Preparation(folder: folder, jobs: 1).run()
            #expect(again.counts.unchanged == 5 && again.manifest.identity == summary.manifest.identity)
        }
    }

    @Test func stillsCanBeLeftOut() throws {
        try withTemporaryFolder { folder in
            try fill(folder)
            let summary = try Preparation(folder: folder, takesStills: false, jobs: 2).run()
            #expect(try summary.manifest.records().map(\.path) == ["train/clip.mp4"] && !summary.manifest.holdsStills)
            #expect(summary.counts.stills == 0 && summary.passedOver.note == nil)
        }
    }

    @Test func whatIsEncodedAnewAreVideos() throws {
        try withTemporaryFolder { folder in
            try fill(folder + "/in")
            let summary = try Preparation(folder: folder + "/in", output: folder + "/out", transcoding: Transcoding(), jobs: 2).run()
            #expect(try summary.manifest.records().map(\.path) == ["train/clip.mp4"])
            #expect(
                summary.passedOver.note
                    == "left out 4 files: 2 .jpeg, 1 .png, 1 .webp; --transcode is for videos; prepare stills without it")
        }
    }

    @Test func otherPicturesAreCounted() throws {
        try withTemporaryFolder { folder in
            try fill(folder)
            for name in ["a.bmp", "b.tif", "c.BMP", "d.gif"] { try write([], folder + "/" + name) }
            let summary = try Preparation(folder: folder, jobs: 2).run()
            #expect(
                summary.passedOver.note
                    == "left out 1 file: 1 .gif; --extensions takes it; "
                    + "left out 3 files: 2 .bmp, 1 .tif; stills are read from .jpeg .jpg .png .webp")
        }
    }

    /// Files that are no still, by what is done to a good one, and the reason that the list of rejects has to give.
    struct Broken: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var file: String
        var reason: String
        var detail: String?
        var change: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    }

    private static let broken = [
        Broken(testDescription: "half a JPEG", file: "420.jpg", reason: "truncated") { Array($0.prefix($0.count / 2)) },
        Broken(testDescription: "a JPEG without its last byte", file: "420.jpg", reason: "truncated") { Array($0.dropLast()) },
        Broken(testDescription: "half a progressive JPEG", file: "progressive.jpg", reason: "truncated") { Array($0.prefix($0.count / 2)) },
        Broken(testDescription: "half a PNG", file: "colours.png", reason: "truncated") { Array($0.prefix($0.count / 2)) },
        Broken(testDescription: "half a WebP", file: "lossy.webp", reason: "truncated") { Array($0.prefix($0.count / 2)) },
        Broken(testDescription: "a JPEG whose data stop at its end mark", file: "420.jpg", reason: "undecodable frames") {
            Array($0.prefix($0.count - 500)) + [0xff, 0xd9]
        },
        Broken(testDescription: "a PNG with a wrong number in its data", file: "colours.png", reason: "undecodable frames") {
            var bytes = $0
            bytes[1000] ^= 0x55
            return bytes
        },
        Broken(testDescription: "a PNG that claims 32768 pixels a side", file: "colours.png", reason: "too big", detail: "32768x32768") {
            Array($0[..<16]) + [0, 0, 0x80, 0, 0, 0, 0x80, 0] + $0[24...]
        },
        Broken(testDescription: "a WebP that claims 16383 pixels a side", file: "lossy.webp", reason: "too big", detail: "16383x16383") {
            Array($0[..<26]) + [0xff, 0x3f, 0xff, 0x3f] + $0[30...]
        },
        Broken(testDescription: "a JPEG of a hundred passes", file: "420.jpg", reason: "too big", detail: "102 passes") {
            Array($0.dropLast(2)) + (0..<101).flatMap { _ in [0xff, 0xda, 0, 2] as [UInt8] } + [0xff, 0xd9]
        },
        Broken(
            testDescription: "four colours that nothing explains", file: "cmyk.jpg", reason: "unsupported format", detail: "save it as RGB"
        ) {
            // Without Adobe's segment, of 16 bytes, which follows the first two.
            Array($0[..<2]) + $0[18...]
        },
        Broken(testDescription: "an animation", file: "animation.webp", reason: "unsupported format", detail: "an animation"),
        Broken(testDescription: "a text", file: "420.jpg", reason: "unsupported format", detail: "neither JPEG nor PNG nor WebP") { _ in
            Array("no picture".utf8)
        },
        Broken(testDescription: "nothing", file: "420.jpg", reason: "cannot open", detail: "empty") { _ in [] },
    ]

    @Test("what is no still is rejected for its reason", arguments: broken)
    func rejects(broken: Broken) throws {
        try withTemporaryFolder { folder in
            try write(bytes("grey.png"), folder + "/good.png")
            try write(broken.change(bytes(broken.file)), folder + "/" + broken.file)
            let summary = try Preparation(folder: folder, jobs: 1).run()
            #expect(try summary.manifest.records().map(\.path) == ["good.png"])
            let line = try String(contentsOfFile: folder + "/rejects.jsonl", encoding: .utf8)
            let reject = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
            #expect(reject["path"] == broken.file && reject["reason"] == broken.reason)
            #expect(broken.detail.map { reject["detail"]?.contains($0) == true } ?? true)
            // It is not read again as long as it does not change.
            #expect(try Preparation(folder: folder, jobs: 1).run().counts.unchanged == 2)
        }
    }

    @Test func aFolderWithoutAGoodStillIsAnError() throws {
        try withTemporaryFolder { folder in
            try write(bytes("420.jpg").prefix(300), folder + "/a.jpg")
            let error = #expect(throws: PreparationError.self) { try Preparation(folder: folder, jobs: 1).run() }
            #expect(try #require(error).description.contains("none of its 1 files can be used (1 truncated)"))
        }
    }

    // MARK: Reading

    private func read(_ record: VideoRecord, _ reader: PictureReader) throws -> [UInt8] {
        var pixels = [UInt8](repeating: 0, count: 16 * 16 * 3)
        let request = PictureRequest(frame: 0, box: CropBox(x: 3, y: 2, width: 40, height: 30), size: 16)
        try pixels.withUnsafeMutableBytes { pixels in try reader.read([request], of: record) { _ in pixels } }
        return pixels
    }

    @Test func aStillMustBeTheOneThatWasPrepared() throws {
        try withTemporaryFolder { folder in
            try write(bytes("420.jpg"), folder + "/a.jpg")
            let record = try VideoRecord(inspectingStill: "a.jpg", in: folder)
            func commented(_ letter: UInt8) throws -> [UInt8] {
                try [0xff, 0xd8, 0xff, 0xfe, 0, 3, letter] + bytes("420.jpg").dropFirst(2)
            }
            let (hasty, careful) = (
                PictureReader(media: MediaRoot(folder)), PictureReader(media: MediaRoot(folder), verifiesContent: true)
            )
            #expect(try read(record, hasty) == read(record, careful))
            // A comment that changes no colour, then a letter of it.
            try write(commented(65), folder + "/a.jpg")
            #expect(throws: MediaError.self) { try read(record, hasty) }
            let other = try VideoRecord(inspectingStill: "a.jpg", in: folder)
            try write(commented(66), folder + "/a.jpg")
            #expect(try read(other, hasty) == read(record: record, named: "420.jpg"))
            let error = #expect(throws: MediaError.self) { try read(other, careful) }
            #expect(error?.reason == .changed)
        }
    }

    /// The pixels of a fixture that a record of the same picture describes.
    private func read(record: VideoRecord, named name: String) throws -> [UInt8] {
        var record = record
        record.path = name
        return try read(record, PictureReader(media: MediaRoot(fixture("Stills"))))
    }

    @Test func aServerGivesTheSamePictures() throws {
        let record = try VideoRecord(inspectingStill: "420.jpg", in: fixture("Stills"))
        let server = try FileServer(Data(bytes("420.jpg")), ways: [.serve])
        let reader = PictureReader(
            media: MediaRoot("http://127.0.0.1:\(server.port)"), server: MediaServer(timeout: 20, isStopped: { false }, log: { _ in }),
            verifiesContent: true)
        #expect(try read(record, reader) == read(record: record, named: "420.jpg"))
        server.file.withLock { $0 = $0.dropLast() }
        let error = #expect(throws: MediaError.self) { try read(record, reader) }
        #expect(error?.reason == .changed)
    }

    @Test("a still is opened, decoded and cut once for each visit") func costs() throws {
        let record = try VideoRecord(inspectingStill: "420.jpg", in: fixture("Stills"))
        let reader = PictureReader(media: MediaRoot(fixture("Stills")))
        let requests = (0..<3).map { PictureRequest(frame: 0, box: CropBox(x: $0, y: 0, width: 40, height: 40), size: 8) }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8 * 8 * 3, alignment: 64)
        defer { memory.deallocate() }
        for visits in 1...3 {
            try reader.read(requests, of: record) { _ in memory }
            #expect(reader.costs.framesDecoded == visits)
        }
    }
}
