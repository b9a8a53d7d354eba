import Foundation
import Media
import Pictures
import TestSupport
import Testing

/// Masked autoencoding of a folder of stills, from the command that prepares it to the weights.
@Suite(.serialized) struct StillsTests {
    /// Twelve stills in two folders, beside the videos of the data set where those are wanted, prepared.
    private func prepare(_ data: TinyDataSet, beside videos: Bool) throws -> (folder: String, output: String) {
        let folder = data.folder + (videos ? "/train" : "/stills")
        for name in 0..<12 {
            let place = "\(folder)/class-\(name % 2)"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            let pixels = (0..<40 * 36 * 3).map { UInt8(truncatingIfNeeded: $0 * (name + 2) / 7 + $0 / 120) }
            let image = RGBImage(width: 40, height: 36, pixels: pixels)
            if name < 3 { try writePNG(image, to: "\(place)/\(name).png") } else { try writeJPEG(image, to: "\(place)/\(name).JPEG") }
        }
        let (status, output) = try Programs.run("tandem", ["prepare", folder], in: data.folder)
        #expect(status == 0, "\(output)")
        return (folder, output)
    }

    private func settings(_ folder: String, decoders: Int) -> [String] {
        [
            "recipe=mae", "data.media=\(folder)", "data.manifest=\(folder)/manifest.tandem", "dataflow.decoders=\(decoders)",
            "train.threads=1",
        ]
    }

    @Test("one decoder and three give the same samples and the same weights", .timeLimit(.minutes(30)), arguments: [false, true])
    func oneStream(besideVideos: Bool) throws {
        let data = try TinyDataSet()
        let (folder, output) = try prepare(data, beside: besideVideos)
        #expect(output.contains("12 stills") && output.contains("3 videos") == besideVideos, "\(output)")
        let one = try data.run("one", settings: settings(folder, decoders: 1))
        let three = try data.run("three", settings: settings(folder, decoders: 3))
        #expect(one.sampleLog == three.sampleLog && one.sampleLog.contains(".JPEG"), "\(one.sampleLog)")
        #expect(one.sampleLog.contains(".mp4") == besideVideos)
        #expect(try one.arrays == three.arrays)
    }

    @Test(.timeLimit(.minutes(30))) func aBrokenStillIsReplaced() throws {
        let data = try TinyDataSet()
        let (folder, _) = try prepare(data, beside: false)
        let path = folder + "/class-1/5.JPEG"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes.replaceSubrange(bytes.count / 2..<bytes.count, with: [UInt8](repeating: 0, count: bytes.count - bytes.count / 2))
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let run = try data.run("broken", settings: settings(folder, decoders: 2) + ["dataflow.failureLimit=0.9"])
        #expect(run.output.contains("replaced class-1/5.JPEG") && run.output.contains("undecodable frames"), "\(run.output)")
    }

    @Test(.timeLimit(.minutes(30))) func pairsAreNotDrawnFromStills() throws {
        let data = try TinyDataSet()
        let (folder, _) = try prepare(data, beside: true)
        let refused = Programs.finish(try data.start(in: try data.makeFolder("pairs"), settings: ["data.media=\(folder)"]))
        #expect(refused.status == 1 && refused.output.contains("lists stills"), "\(refused.output)")
        #expect(refused.output.contains("tandem prepare --no-stills") && refused.output.contains("recipe=mae"), "\(refused.output)")
        #expect(!FileManager.default.fileExists(atPath: data.folder + "/pairs/runs"))

        let (status, output) = try Programs.run("tandem", ["prepare", "--no-stills", folder], in: data.folder)
        #expect(status == 0 && output.contains("3 videos") && !output.contains("stills"), "\(output)")
        _ = try data.run("videos", settings: ["data.media=\(folder)"])
    }

    @Test func inspectCountsThem() throws {
        let data = try TinyDataSet()
        let (folder, _) = try prepare(data, beside: false)
        let (status, output) = try Programs.run("tandem", ["inspect", "--json", folder], in: data.folder)
        let summary = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any], "\(output)")
        #expect(status == 0 && summary["stills"] as? Int == 12 && summary["videos"] as? Int == 0 && summary["frames"] as? Int == 0)
        #expect(summary["frameRates"] == nil && summary["hours"] as? Double == 0)
        #expect(summary["pictureSizes"] as? [String: Int] == ["40x36": 12])
    }

    @Test(.timeLimit(.minutes(30)), .enabled(if: Nginx.program != nil, .init(rawValue: Nginx.absence)))
    func aServerGivesTheSameSamples() throws {
        let data = try TinyDataSet()
        let (folder, _) = try prepare(data, beside: false)
        let server = try Nginx(serving: folder, in: data.folder + "/nginx")
        try server.start()
        let here = try data.run("here", settings: settings(folder, decoders: 1))
        let there = try data.run(
            "there", settings: settings(folder, decoders: 1) + ["data.media=\(server.url)/", "data.verifyContent=true"])
        #expect(here.sampleLog == there.sampleLog)
        #expect(try here.arrays == there.arrays)
    }
}
