import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// A clip whose packets have no ascending presentation times, or other things that encoding anew must not stumble over.
struct UnorderedClip: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Its name, the last one that is made.
    let file: String
    /// How to encode 30 moving pictures into the first file.
    let encoding: String
    var rate = "25"
    /// The files that are joined byte by byte into the clip, each name the first file's.
    var copies = 1
    /// Further arguments that make the clip of the first file.
    var rewriting: String?
    /// Frames that it has.
    var frames = 30
    /// Whether frame i is known to come at i / rate; elsewhere the plain manifest's times are all there is.
    var isEven = true

    static let all = [
        Self(testDescription: "MPEG-4 with B-frames in AVI", file: "a.avi", encoding: "-c:v mpeg4 -bf 2 -g 12"),
        Self(testDescription: "H.264 with B-frames in AVI", file: "a.avi", encoding: "-c:v libx264 -bf 3"),
        Self(testDescription: "MPEG-2 with B-frames in AVI", file: "a.avi", encoding: "-c:v mpeg2video -bf 2"),
        Self(testDescription: "MPEG-2 in a program stream", file: "a.mpg", encoding: "-c:v mpeg2video -bf 2 -g 12"),
        Self(testDescription: "MPEG-1 in a program stream", file: "a.mpg", encoding: "-c:v mpeg1video -bf 2 -g 12"),
        Self(testDescription: "a DVD's program stream", file: "a.vob", encoding: "-c:v mpeg2video -bf 2"),
        Self(testDescription: "H.264 in a program stream", file: "a.vob", encoding: "-c:v libx264 -bf 2", isEven: false),
        Self(
            testDescription: "joined transport streams", file: "b.ts", encoding: "-c:v libx264 -bf 2", copies: 2, frames: 60,
            isEven: false),
        Self(
            testDescription: "joined transport streams of HEVC", file: "b.ts",
            encoding: "-c:v libx265 -x265-params log-level=none:bframes=2", copies: 2, frames: 60, isEven: false),
        Self(
            testDescription: "joined program streams", file: "b.mpg", encoding: "-c:v mpeg2video -bf 2", copies: 3, frames: 90,
            isEven: false),
        Self(
            testDescription: "a clock too coarse for the rate", file: "a.mkv", encoding: "-c:v libx264 -bf 0", rate: "2000", isEven: false),
        Self(
            testDescription: "a clock too coarse for the rate, with B-frames", file: "a.mkv", encoding: "-c:v libx264 -bf 2", rate: "3000",
            isEven: false),
        Self(testDescription: "a clock of nanoseconds", file: "a.mp4", encoding: "-c:v libx264 -bf 2 -video_track_timescale 1000000000"),
        Self(testDescription: "2,000 frames a second", file: "a.mp4", encoding: "-c:v libx264 -bf 2", rate: "2000"),
        Self(testDescription: "30000/1001 frames a second", file: "a.mp4", encoding: "-c:v libx264 -bf 2", rate: "30000/1001"),
        Self(testDescription: "a picture every four seconds", file: "a.mp4", encoding: "-c:v libx264 -bf 2", rate: "1/4"),
        Self(testDescription: "a bare stream of H.264", file: "a.ts", encoding: "-c:v libx264 -bf 2 -f h264"),
        Self(
            testDescription: "a bare stream of HEVC", file: "a.ts",
            encoding: "-c:v libx265 -x265-params log-level=none:bframes=2 -f hevc"),
        Self(testDescription: "a bare stream of MPEG-2", file: "a.mpg", encoding: "-c:v mpeg2video -bf 2 -f mpeg2video"),
        Self(testDescription: "VP8 in IVF", file: "a.ivf", encoding: "-c:v libvpx -cpu-used 8"),
        Self(
            testDescription: "a cover picture beside the video", file: "b.mp4", encoding: "-c:v libx264 -bf 2",
            rewriting:
                "-f lavfi -i testsrc2=s=64x64:d=0.04 -map 0 -map 1 -c:v:0 copy -c:v:1 mjpeg -frames:v:1 1 -disposition:v:1 attached_pic"),
        Self(
            testDescription: "an uneven rate", file: "a.mkv",
            encoding: "-vf setpts='(N+floor(N/7)*3)/25/TB' -fps_mode vfr -c:v libx264 -bf 2", isEven: false),
        Self(testDescription: "a long chain of B-frames", file: "a.mp4", encoding: "-c:v libx264 -bf 16 -b_strategy 0"),
        Self(testDescription: "10 bits", file: "a.mkv", encoding: "-pix_fmt yuv420p10le -c:v libx264 -bf 2"),
        Self(
            testDescription: "fields", file: "a.mpg", encoding: "-vf tinterlace=interleave_top -c:v mpeg2video -flags +ildct+ilme -bf 2",
            rate: "50", frames: 15, isEven: false),
        Self(testDescription: "two frames", file: "a.avi", encoding: "-frames:v 2 -c:v mpeg4 -bf 2", frames: 2),
    ]

    /// Makes the clip in a folder.
    func make(in folder: String) throws {
        func words(_ text: String) -> [String] { text.split(separator: " ").map { $0.replacingOccurrences(of: "'", with: "") } }
        let first = "a." + (file as NSString).pathExtension
        let numbers = rate.split(separator: "/").map { Double($0)! }
        let seconds = (30 - 0.5) / (numbers.count == 2 ? numbers[0] / numbers[1] : numbers[0])
        try FFmpeg.run(
            ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=\(rate):d=\(seconds)"] + words(encoding) + [first], in: folder)
        if let rewriting { try FFmpeg.run(["-i", first] + words(rewriting) + [file], in: folder) }
        let url = URL(fileURLWithPath: folder + "/" + first)
        let data = try Data(contentsOf: url)
        if copies > 1 { try Data((0..<copies).flatMap { _ in data }).write(to: URL(fileURLWithPath: folder + "/" + file)) }
        if first != file { try FileManager.default.removeItem(at: url) }
    }
}

@Suite(.enabled(if: FFmpeg.path != nil, .init(rawValue: FFmpeg.absence))) struct UnorderedTimesTests {
    @Test("what is encoded anew has the frames and the times of the plain manifest", arguments: UnorderedClip.all)
    func sameFramesAndTimes(clip: UnorderedClip) throws {
        try withTemporaryFolder { folder in
            let (source, output) = (folder + "/source", folder + "/output")
            try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
            try clip.make(in: source)
            let plain = try #require(
                try Preparation(folder: source, output: folder + "/plain", jobs: 1).run().manifest.records().first)
            let summary = try Preparation(folder: source, output: output, transcoding: Transcoding(), jobs: 1).run()
            let encoded = try #require(try summary.manifest.records().first)
            #expect(encoded.frameCount == clip.frames && encoded.frameCount == plain.frameCount)
            #expect(encoded.path == (clip.file as NSString).deletingPathExtension + ".mp4")
            let times = (0..<plain.frameCount).map { plain.timestamps[$0] - plain.timestamps[0] }
            // Fractions are compared without rounding.
            for frame in times.indices {
                let time = encoded.timestamps[frame] - encoded.timestamps[0]
                #expect(
                    Int(time) * encoded.timeBase.numerator * plain.timeBase.denominator
                        == Int(times[frame]) * plain.timeBase.numerator * encoded.timeBase.denominator, "frame \(frame)")
            }
            let numbers = clip.rate.split(separator: "/").map { Double($0)! }
            let rate = numbers.count == 2 ? numbers[0] / numbers[1] : numbers[0]
            for frame in times.indices where clip.isEven {
                #expect(abs(encoded.seconds(ofFrame: frame) - Double(frame) / rate) < plain.timeBase.value)
            }
            let seen = try listedTimes(output + "/" + encoded.path)
            #expect(seen.count == times.count)
            for (frame, time) in seen.enumerated() {
                #expect(abs(time - seen[0] - encoded.seconds(ofFrame: frame)) < 1e-9, "frame \(frame) of ffmpeg's")
            }
            #expect(try quality(output + "/" + encoded.path, source + "/" + clip.file, frames: clip.frames) >= 38)
        }
    }

    /// Times in seconds of the frames that ffmpeg decodes.
    private func listedTimes(_ path: String) throws -> [Double] {
        let listing = try FFmpeg.run(
            ["-i", path, "-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "framemd5", "-"], in: "/"
        ).split(separator: "\n")
        let base = try #require(listing.first { $0.hasPrefix("#tb 0: ") }).dropFirst(7).split(separator: "/").map { Double($0)! }
        return listing.filter { !$0.hasPrefix("#") }.map {
            Double($0.split(separator: ",")[2].trimmingCharacters(in: .whitespaces))! * base[0] / base[1]
        }
    }

    /// Peak signal-to-noise ratio in dB of frame i against frame i as ffmpeg decodes both.
    private func quality(_ path: String, _ source: String, frames: Int) throws -> Double {
        let graph =
            "[0:v:0]settb=1/25,setpts=N[a];[1:v:0]format=yuv420p,settb=1/25,setpts=N[b];[a][b]psnr=stats_file=-"
        let lines = try FFmpeg.run(["-i", path, "-i", source, "-lavfi", graph, "-f", "null", "-"], in: "/").split(separator: "\n")
        #expect(lines.count == frames)
        let errors = lines.compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("mse_avg:") }.flatMap { Double($0.dropFirst(8)) }
        }
        return 10 * log10(255 * 255 / (errors.reduce(0, +) / Double(errors.count)))
    }

    @Test("both ways reject the same files for the same reasons, and take all others") func sameVerdict() throws {
        try withTemporaryFolder { folder in
            let (source, plain, output) = (folder + "/source", folder + "/plain", folder + "/output")
            try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
            let pictures = "-f lavfi -i testsrc2=s=96x64:r=25:d=1.2 "
            let sound = "-f lavfi -i sine=d=1 "
            let cover = "-f lavfi -i testsrc2=s=64x64:d=0.04 -frames:v 1 -disposition:v:0 attached_pic "
            for arguments in [
                pictures + "-c:v libx264 -f h264 0-bare.ts", pictures + "-c:v mpeg4 -bf 2 bframes.avi", pictures + "good.mp4",
                sound + cover + "-c:v mjpeg cover.mp4", sound + "sound.mp4", pictures + "-frames:v 1 single.avi",
                pictures + "-frames:v 1 -f h264 bare-single.ts", "-f lavfi -i testsrc2=s=96x64:r=1/7:d=70 -c:v mpeg4 slow.avi",
            ] {
                try FFmpeg.run(arguments.split(separator: " ").map(String.init), in: source)
            }
            // Packed 4:1:1, which swscale does not read: bytes of another format called that.
            let raw = pictures + "-f rawvideo -pix_fmt yuv411p raw"
            let wrapping = "-f rawvideo -pix_fmt uyyvyy411 -video_size 96x64 -i raw -c copy packed.avi"
            for arguments in [raw, wrapping] { try FFmpeg.run(arguments.split(separator: " ").map(String.init), in: source) }
            try Data("no video".utf8).write(to: URL(fileURLWithPath: source + "/text.mpg"))
            try Data(contentsOf: URL(fileURLWithPath: source + "/bframes.avi")).prefix(9000).write(
                to: URL(fileURLWithPath: source + "/cut.avi"))
            let first = try Preparation(folder: source, output: plain, jobs: 2).run()
            #expect(
                first.counts.rejects == [.tooShort: 3, .noVideoStream: 1, .tooLongGap: 1, .cannotOpen: 1, .truncated: 1, .unsupported: 1])
            let preparation = Preparation(folder: source, output: output, transcoding: Transcoding(), jobs: 2)
            let second = try preparation.run()
            #expect(try second.manifest.records().map(\.path) == ["0-bare.mp4", "bframes.mp4", "good.mp4"])
            #expect(try rejects(in: output) == rejects(in: plain))
            #expect(try preparation.run().counts.unchanged == 11)
        }
    }

    @Test("a file that cannot be encoded is a reject under the source's name, and the others are encoded") func cannotEncode() throws {
        try withTemporaryFolder { folder in
            let (source, output) = (folder + "/source", folder + "/output")
            try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
            // Names have 255 bytes at most: the first is as long as they can be, the second would be longer.
            let (long, longer) = (String(repeating: "a", count: 251) + ".mp4", String(repeating: "b", count: 252) + ".ts")
            for name in [long, longer, "c.mp4"] {
                try FFmpeg.run(["-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=0.4", name], in: source)
            }
            #expect(try Preparation(folder: source, output: folder + "/plain", jobs: 1).run().manifest.count == 3)
            let summary = try Preparation(folder: source, output: output, transcoding: Transcoding(), jobs: 1).run()
            #expect(try summary.manifest.records().map(\.path) == [long, "c.mp4"])
            let reject = try #require(try rejects(in: output).first)
            #expect(reject["path"] == longer && reject["reason"] == "unusable name")
            #expect(reject["detail"]?.contains("at most 255 bytes, paths 4096; rename it") == true, "\(reject)")
        }
    }

    private func rejects(in folder: String) throws -> [[String: String]] {
        try String(contentsOfFile: folder + "/rejects.jsonl", encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode([String: String].self, from: Data($0.utf8))
        }
    }
}
