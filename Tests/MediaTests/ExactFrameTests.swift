import Foundation
import Media
import TestSupport
import Testing

/// A clip whose frames are hard to find, and how to make it.
struct AwkwardClip: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// The name of the last file made.
    let file: String
    /// How to encode 60 pictures into the first file.
    let encoding: [String]
    /// How to make the file from the first one; nil where it is the first.
    var rewriting: [String]?
    /// The share of the file that is missing at its beginning.
    var cut = 0.0

    private static func x264(_ options: String) -> [String] { ["-c:v", "libx264", "-x264-params", "keyint=15:scenecut=0:" + options] }

    static let all = [
        Self(testDescription: "AVI with B-frames", file: "a.avi", encoding: ["-c:v", "mpeg4", "-bf", "2", "-g", "12"]),
        Self(testDescription: "H.264 with B-frames in AVI", file: "a.avi", encoding: x264("bframes=3")),
        Self(testDescription: "open groups", file: "a.mp4", encoding: x264("open-gop=1:bframes=3")),
        Self(
            testDescription: "open groups of HEVC", file: "a.mkv",
            encoding: ["-c:v", "libx265", "-x265-params", "log-level=none:open-gop=1:keyint=15:min-keyint=15:scenecut=0:bframes=3"]),
        Self(testDescription: "a transport stream that begins within a group", file: "a.ts", encoding: x264("bframes=3"), cut: 0.35),
        Self(testDescription: "MPEG-2 that begins within a group", file: "a.ts", encoding: ["-c:v", "mpeg2video", "-bf", "2"], cut: 0.35),
        Self(testDescription: "an edit list", file: "b.mp4", encoding: x264("bframes=3"), rewriting: ["-ss", "0.9", "-i", "a.mp4"]),
        Self(
            testDescription: "an uneven rate", file: "a.mkv",
            encoding: ["-vf", "select=not(eq(mod(n\\,7)\\,3)+eq(mod(n\\,11)\\,5))", "-fps_mode", "vfr"] + x264("bframes=2")),
        Self(testDescription: "intra refresh", file: "a.mp4", encoding: x264("intra-refresh=1:bframes=0")),
        Self(testDescription: "an elementary stream, without times", file: "a.h264", encoding: x264("bframes=3")),
        Self(testDescription: "hidden frames of VP9", file: "a.webm", encoding: ["-c:v", "libvpx-vp9", "-cpu-used", "8", "-g", "15"]),
    ]

    /// Makes the clip in a folder and returns its path.
    func make(in folder: String) throws -> String {
        let first = rewriting == nil ? file : "a." + (file as NSString).pathExtension
        let pictures = ["-f", "lavfi", "-i", "testsrc2=s=192x128:r=25:d=2.4"]
        try FFmpeg.run(pictures + encoding + [first], in: folder)
        if let rewriting { try FFmpeg.run(rewriting + ["-c", "copy", file], in: folder) }
        let url = URL(fileURLWithPath: folder + "/" + file)
        if cut > 0 {
            let data = try Data(contentsOf: url)
            // A transport stream's packets have 188 bytes.
            try data.dropFirst(Int(Double(data.count) * cut) / 188 * 188).write(to: url)
        }
        return url.path
    }
}

@Suite struct ExactFrameTests {
    @Test(
        "frames sought one by one are those of a sequential decode, and those of ffmpeg",
        .enabled(if: FFmpeg.path != nil, .init(rawValue: FFmpeg.absence)), arguments: AwkwardClip.all)
    func agree(clip: AwkwardClip) throws {
        try withTemporaryFolder { folder in
            let frames = try expectExactFrames(clip.make(in: folder))
            #expect(frames.entries.count > 20)
        }
    }
}

/// Expects that the frames of a video sought one by one are those of a sequential decode, and those of ffmpeg.
@discardableResult
func expectExactFrames(_ path: String) throws -> FrameChecksums {
    let sequential = try FrameChecksums(sequential: path)
    #expect(try FrameChecksums(random: path, seed: 7) == sequential)
    #expect(try sequential.entries.map(\.md5) == ffmpegHashes(path))
    return sequential
}

/// The MD5 of every frame of a video, as ffmpeg decodes it.
func ffmpegHashes(_ path: String) throws -> [String] {
    let listing = try FFmpeg.run(
        [
            "-copyts", "-noautorotate", "-i", path, "-autoscale", "0", "-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "framemd5",
            "-",
        ],
        in: "/")
    return listing.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { String($0.split(separator: " ").last!) }
}
