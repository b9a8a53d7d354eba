import Foundation
import Media
import Pictures
import Sampling
import TestSupport
import Testing

@Suite struct TranscodingTests {
    private func transcode(_ folder: String, to output: String, _ transcoding: Transcoding) throws -> Preparation.Summary {
        try Preparation(folder: folder, output: output, transcoding: transcoding, jobs: 2).run()
    }

    private func files(_ folder: String) -> [String] {
        (FileManager.default.subpaths(atPath: folder) ?? []).filter { !$0.hasPrefix(".") && $0.contains(".") }.sorted()
    }

    /// The whole of a frame as a small square.
    private func picture(_ frame: Int, of record: VideoRecord, in folder: String) throws -> [UInt8] {
        var pixels = [UInt8](repeating: 0, count: 64 * 64 * 3)
        let request = PictureRequest(
            frame: frame, box: CropBox(x: 0, y: 0, width: record.width, height: record.height), size: 64)
        try pixels.withUnsafeMutableBytes { pixels in
            try VideoReader(path: folder + "/" + record.path, record: record).read([request]) { _ in pixels }
        }
        return pixels
    }

    private func distance(_ a: [UInt8], _ b: [UInt8]) -> Double {
        zip(a, b).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) } / Double(a.count)
    }

    @Test(
        "frames, times and names are the source's",
        arguments: [Transcoding(shortSide: 64), Transcoding(shortSide: 64, groupOfPictures: 8, bFrames: 0)])
    func keepsWhatMatters(transcoding: Transcoding) throws {
        try withTemporaryFolder { folder in
            let (source, output) = (folder + "/source", folder + "/output")
            try FileManager.default.createDirectory(atPath: source + "/below", withIntermediateDirectories: true)
            try writeTestClip(source + "/below/a b.mp4", width: 160, height: 96, frames: 50, framesPerSecond: Rational(30000, 1001))
            try writeTestClip(source + "/small.mp4", width: 64, height: 48, frames: 20, framesPerSecond: Rational(12, 1))
            try Data("no video".utf8).write(to: URL(fileURLWithPath: source + "/text.mp4"))
            let before = try Preparation(folder: source, output: folder + "/before", jobs: 1).run().manifest.records()
            let summary = try transcode(source, to: output, transcoding)
            let after = try summary.manifest.records()

            #expect(files(output) == ["below/a b.mp4", "manifest.tandem", "rejects.jsonl", "small.mp4"])
            #expect(after.map(\.path) == ["below/a b.mp4", "small.mp4"])
            #expect(after.map(\.width) == [106, 64] && after.map(\.height) == [64, 48])
            #expect(summary.counts.rejects == [.cannotOpen: 1])
            let transcoded = try #require(summary.counts.transcoded)
            #expect(transcoded.leastQuality >= 38.5 && transcoded.leastQuality <= transcoded.meanQuality)
            #expect(
                transcoded.bytesBefore == before.reduce(0) { $0 + $1.bytes } && transcoded.bytesAfter == after.reduce(0) { $0 + $1.bytes })
            #expect(transcoded.framesPerPair.after < transcoded.framesPerPair.before)
            for (old, new) in zip(before, after) {
                #expect(old.frameCount == new.frameCount)
                for frame in 0..<old.frameCount { #expect(abs(old.seconds(ofFrame: frame) - new.seconds(ofFrame: frame)) < 1e-9) }
                let ends = new.keyFrames.dropFirst() + [new.frameCount]
                #expect(zip(new.keyFrames, ends).allSatisfy { $1 - $0 <= transcoding.groupOfPictures })
                for frame in [0, 7, old.frameCount - 1] {
                    #expect(try distance(picture(frame, of: old, in: source), picture(frame, of: new, in: output)) < 4)
                }
            }
        }
    }

    @Test(
        "turned, mirrored and irregular videos stay what a viewer sees",
        .enabled(if: Shared.folder != nil, "needs the shared data: set TANDEM_SHARED to its folder"), .timeLimit(.minutes(30)))
    func oddVideos() throws {
        try withTemporaryFolder { folder in
            let (source, output) = (folder + "/source", folder + "/output")
            try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
            let names = [
                "odd/video_90.mov", "odd/nasa_13013_rotated.mp4", "odd/edts.mp4", "odd/corrupted.mp4", "odd/demo.mp4",
                "codecs/h264_10bits.mp4",
                "codecs/bt601_full_range.mp4", "codecs/sample.avi", "codecs/bbb_176x144_128kbps_15fps_h263.3gp",
                "codecs/testsrc2_odd_height_and_width_444.mp4",
            ]
            for name in names {
                try FileManager.default.copyItem(
                    atPath: Shared.folder! + "/data/videos/" + name, toPath: source + "/" + (name as NSString).lastPathComponent)
            }
            let before = try Preparation(folder: source, output: folder + "/before", jobs: 1).run().manifest.records()
            let after = try transcode(source, to: output, Transcoding()).manifest.records()
            #expect(after.count == names.count)
            for (old, new) in zip(before, after) {
                #expect((old.path as NSString).deletingPathExtension == (new.path as NSString).deletingPathExtension)
                #expect(old.damagedFrames == new.damagedFrames && old.frameCount == new.frameCount)
                for frame in 0..<old.frameCount { #expect(abs(old.seconds(ofFrame: frame) - new.seconds(ofFrame: frame)) < 1e-6) }
                let (a, b) = (Double(old.width) / Double(old.height), Double(new.width) / Double(new.height))
                #expect(abs(a / b - 1) < 0.02, "\(old.path) \(new.width)x\(new.height)")
                #expect(min(new.width, new.height) <= 256)
                #expect(try distance(picture(1, of: old, in: source), picture(1, of: new, in: output)) < 4, "\(old.path)")
            }
        }
    }

    @Test func goesOnWhereItWasInterrupted() throws {
        try withTemporaryFolder { folder in
            let (source, output) = (folder + "/source", folder + "/output")
            try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
            for index in 0..<5 { try writeTestClip(source + "/\(index).mp4", frames: 20 + index) }
            var seen = 0
            let preparation = Preparation(folder: source, output: output, transcoding: Transcoding(), jobs: 1)
            #expect(throws: PreparationError.self) { _ = try preparation.run(shouldStop: { seen >= 1 }) { seen = $0.done } }
            #expect(!files(output).contains { $0.hasSuffix(".partial") || $0 == "manifest.tandem" })
            #expect(files(output).count == seen)
            #expect(try preparation.run().counts.unchanged == seen)
            let done = try files(output).map { try Data(contentsOf: URL(fileURLWithPath: output + "/" + $0)) }
            #expect(try preparation.run().counts.unchanged == 5)
            // A lost result is made again, the same; other settings make all anew.
            try FileManager.default.removeItem(atPath: output + "/3.mp4")
            #expect(try preparation.run().counts.unchanged == 4)
            #expect(try files(output).map { try Data(contentsOf: URL(fileURLWithPath: output + "/" + $0)) } == done)
            #expect(try transcode(source, to: output, Transcoding(groupOfPictures: 8)).counts.unchanged == 0)
        }
    }

    @Test func namesDoNotCollide() throws {
        try withTemporaryFolder { folder in
            let source = folder + "/source"
            try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
            for name in ["a.mp4", "a.mov", "b.m4v"] { try writeTestClip(source + "/" + name, width: 32, height: 32, frames: 3) }
            let records = try transcode(source, to: folder + "/output", Transcoding()).manifest.records()
            #expect(records.map(\.path) == ["a.mov.mp4", "a.mp4", "b.mp4"])
            try writeTestClip(source + "/a.mov.mp4", width: 32, height: 32, frames: 3)
            let more = try transcode(source, to: folder + "/output", Transcoding()).manifest.records()
            #expect(more.map(\.path) == ["a.mov.mp4", "a.mov.mp4.mp4", "a.mp4", "b.mp4"])
            #expect(throws: PreparationError.self) { try transcode(source, to: source + "/output", Transcoding()) }
        }
    }

    @Test("folders of pictures become videos, the pictures in the order that people count in") func fromFrames() throws {
        try withTemporaryFolder { folder in
            let (source, output) = (folder + "/source", folder + "/output")
            for (name, count, ending) in [("class/one", 12, "jpg"), ("class/two", 3, "png"), ("single", 1, "jpg")] {
                try FileManager.default.createDirectory(atPath: source + "/" + name, withIntermediateDirectories: true)
                for index in 0..<count {
                    let image = RGBImage(width: 48, height: 32, pixels: Array(repeating: UInt8(index * 20), count: 48 * 32 * 3))
                    let path = source + "/" + name + "/frame\(index + 1)." + ending
                    if ending == "jpg" { try writeJPEG(image, to: path) } else { try writePNG(image, to: path) }
                }
            }
            try FileManager.default.createDirectory(atPath: source + "/mixed", withIntermediateDirectories: true)
            for side in [32, 48] {
                try writeJPEG(
                    RGBImage(width: side, height: 32, pixels: Array(repeating: 9, count: side * 32 * 3)), to: source + "/mixed/\(side).jpg")
            }
            let summary = try transcode(source, to: output, Transcoding(pictureRate: Rational(25, 1)))
            #expect(summary.counts.rejects == [.tooShort: 1, .unsupported: 1])
            let records = try summary.manifest.records()
            #expect(records.map(\.path) == ["class/one.mp4", "class/two.mp4"] && records.map(\.frameCount) == [12, 3])
            #expect(records.allSatisfy { abs($0.seconds(ofFrame: 2) - 2.0 / 25) < 1e-9 })
            for record in records {
                for frame in 0..<record.frameCount {
                    let mean = try picture(frame, of: record, in: output).reduce(0) { $0 + Double($1) } / (64 * 64 * 3)
                    #expect(abs(mean - Double(frame * 20)) < 4, "\(record.path), frame \(frame)")
                }
            }
            #expect(try transcode(source, to: output, Transcoding(pictureRate: Rational(25, 1))).counts.unchanged == 4)
        }
    }

    /// What is wrong with one picture of a folder, and how to make it so.
    struct BrokenPicture: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let reason: String
        let spoil: @Sendable (_ path: String) throws -> Void
    }

    private static func write(_ data: Data, _ path: String) throws { try data.write(to: URL(fileURLWithPath: path)) }

    @Test(
        "the reject of a folder names the picture that is broken",
        arguments: [
            BrokenPicture(testDescription: "empty", reason: "cannot open") { try write(Data(), $0) },
            BrokenPicture(testDescription: "cut", reason: "cannot read") {
                let data = try Data(contentsOf: URL(fileURLWithPath: $0))
                try write(data.prefix(data.count / 2), $0)
            },
            BrokenPicture(testDescription: "cut in its header", reason: "cannot read") {
                try write(Data(contentsOf: URL(fileURLWithPath: $0)).prefix(100), $0)
            },
            BrokenPicture(testDescription: "no picture", reason: "unsupported format") { try write(Data("not found".utf8), $0) },
            BrokenPicture(testDescription: "another size", reason: "unsupported format") {
                try writeJPEG(RGBImage(width: 32, height: 32, color: .black), to: $0)
            },
            BrokenPicture(testDescription: "a folder", reason: "cannot open") {
                try FileManager.default.removeItem(atPath: $0)
                try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: true)
            },
            BrokenPicture(testDescription: "a link to nothing", reason: "no such file") {
                try FileManager.default.removeItem(atPath: $0)
                try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: "nowhere")
            },
        ])
    func namesTheBrokenPicture(fault: BrokenPicture) throws {
        try withTemporaryFolder { folder in
            for name in ["class/broken", "class/whole"] {
                try FileManager.default.createDirectory(atPath: folder + "/source/" + name, withIntermediateDirectories: true)
                for index in 1...4 {
                    let image = RGBImage(width: 48, height: 32, pixels: testPicture(width: 48, height: 32, frame: index))
                    try writeJPEG(image, to: folder + "/source/\(name)/0000\(index).jpg")
                }
            }
            try fault.spoil(folder + "/source/class/broken/00003.jpg")
            let output = folder + "/output"
            let summary = try transcode(folder + "/source", to: output, Transcoding(pictureRate: Rational(25, 1)))
            #expect(try summary.manifest.records().map(\.path) == ["class/whole.mp4"])
            let lines = try String(contentsOfFile: output + "/rejects.jsonl", encoding: .utf8).split(separator: "\n")
            let rejects = try lines.map { try JSONDecoder().decode([String: String].self, from: Data($0.utf8)) }
            // A link that leads nowhere is told by itself as well.
            let ofFolders = rejects.filter { $0["path"] != "class/broken/00003.jpg" }
            #expect(ofFolders.count == 1)
            let reject = try #require(ofFolders.first)
            #expect(reject["path"] == "class/broken" && reject["reason"] == fault.reason)
            #expect(reject["detail"]?.hasPrefix("class/broken/00003.jpg: ") == true, "\(reject)")
        }
    }
}
