import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// Runs on a folder in which a video is not the one that was prepared.
@Suite(.serialized) struct ChangedVideoTests {
    private let data: TinyDataSet
    /// Of the last video.
    private let record: VideoRecord

    init() throws {
        data = try TinyDataSet()
        let manifest = try Manifest(contentsOf: data.manifest)
        record = try manifest[manifest.count - 1]
    }

    private var path: String { data.folder + "/train/" + record.path }

    /// Half the frames are another video's, of another size in bytes.
    private func replaceVideo() throws -> Int {
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.copyItem(atPath: data.videos[0], toPath: path)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path)).count
        try #require(bytes != record.bytes)
        return bytes
    }

    private func settings(_ more: [String] = []) -> [String] { ["train.steps=20", "dataflow.failureLimit=0.9"] + more }

    @Test(.timeLimit(.minutes(30))) func aRunReplacesItAndTellsWhy() throws {
        let whole = try data.run("whole", settings: settings())
        let bytes = try replaceVideo()
        let told = "\(record.path) has \(bytes) bytes, \(record.bytes) when it was prepared; prepare again"
        let one = try data.run("one", settings: settings(["dataflow.decoders=1"]))
        #expect(one.output.contains("replaced \(record.path)") && one.output.contains(told), "\(one.output)")
        #expect(one.output.contains(" changed"), "counted by kind: \(one.output)")
        #expect(one.sampleLog != whole.sampleLog)
        // By rule: whoever decodes, others take its place.
        let three = try data.run("three", settings: settings(["dataflow.decoders=3"]))
        #expect(three.sampleLog == one.sampleLog)
        // A video that is gone is replaced by the same rule.
        try FileManager.default.removeItem(atPath: path)
        #expect(try data.run("gone", settings: settings()).sampleLog == one.sampleLog)
    }

    @Test(.timeLimit(.minutes(30))) func contentIsComparedWhereAsked() throws {
        let whole = try data.run("whole", settings: settings())
        #expect(try data.run("verified", settings: settings(["data.verifyContent=true"])).sampleLog == whole.sampleLog)
        // The last byte of x264's settings, which no decoder reads.
        var content = try Data(contentsOf: URL(fileURLWithPath: path))
        let place = try #require(content.range(of: Data("x264 - core".utf8)) ?? content.range(of: Data("Lavf".utf8)))
        content[place.upperBound - 1] ^= 1
        try content.write(to: URL(fileURLWithPath: path))
        #expect(try data.run("same-size", settings: settings()).sampleLog == whole.sampleLog)
        let strict = try data.run("strict", settings: settings(["data.verifyContent=true"]))
        #expect(strict.output.contains("replaced \(record.path)"), "\(strict.output)")
        #expect(strict.output.contains("has the MD5 sum"), "\(strict.output)")
        try FileManager.default.removeItem(atPath: path)
        #expect(try data.run("gone", settings: settings()).sampleLog == strict.sampleLog)
    }

    @Test(.timeLimit(.minutes(30))) func picturesOfAManifestTellItToo() throws {
        let folder = try data.run("run", settings: settings()).folder
        let bytes = try replaceVideo()
        let arguments = [
            "visualize", "reconstructions", "--weights", "runs/tiny", "--ratios", ".5", "--samples", "6", "--output", "a.png",
            data.manifest,
        ]
        let (status, output) = try Programs.run("tandem", arguments, in: folder)
        #expect(status == 0, "\(output)")
        let told = "\(record.path) has \(bytes) bytes, \(record.bytes) when it was prepared; prepare again"
        #expect(output.contains("passing over a video") && output.contains(told), "\(output)")
    }
}
