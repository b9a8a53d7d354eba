import Base
import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// Every real clip of many codecs and containers, and the broken ones among them.
@Suite(.enabled(if: Shared.folder != nil, "needs the shared data: set TANDEM_SHARED to its folder"), .serialized)
struct RealVideoTests {
    static let root = (Shared.folder ?? "") + "/data"

    /// Path, frame count and MD5 of all raw frames, by the ffmpeg program: Tests/Fixtures/Videos/make_expected.py.
    static let decodable: [(path: String, frames: Int, md5: String)] = {
        let list = try? String(contentsOfFile: fixture("Videos/expected.txt"), encoding: .utf8)
        return (list ?? "").split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            return (String(words[0]), Int(words[1])!, String(words[2]))
        }
    }()

    @Test("random order gives the frames of a sequential decode, which are ffmpeg's", .timeLimit(.minutes(30)), arguments: decodable)
    func frames(path: String, frames: Int, md5: String) throws {
        var hashes: [String] = []
        let all = PixelHash(.md5)
        let record = try VideoRecord(inspecting: path, in: Self.root) { _, frame in
            frame.withPackedPlanes {
                all.update($0)
                hashes.append(PixelHash.hexadecimal(of: $0))
            }
        }
        #expect(record.frameCount == frames)
        #expect(all.finish() == md5)
        #expect(record.fault == nil)

        let reader = try VideoReader(path: Self.root + "/" + path, record: record)
        var generator = SplitMix64(seed: 7)
        for frame in (0..<frames).shuffled(using: &generator).prefix(24) {
            try reader.visit([frame]) { index, picture in
                #expect(picture.hexadecimalHash(.murmur3) == hashes[index], "frame \(index)")
            }
        }
        // Several in one pass, as the pairs of one video are read.
        let some = (0..<frames).shuffled(using: &generator).prefix(8).sorted()
        var visited: [Int] = []
        try reader.visit(some) { index, picture in
            visited.append(index)
            #expect(picture.hexadecimalHash(.murmur3) == hashes[index], "frame \(index) of \(some)")
        }
        #expect(visited == some)
    }

    @Test("every frame sought by itself is the frame of one pass", .timeLimit(.minutes(30)), arguments: decodable)
    func checksums(path: String, frames: Int, md5: String) throws {
        let sequential = try FrameChecksums(sequential: Self.root + "/" + path)
        #expect(sequential.entries.count == frames)
        #expect(try FrameChecksums(random: Self.root + "/" + path, seed: 5) == sequential)
    }

    @Test(
        "files without two frames are refused for their own reason", .timeLimit(.minutes(30)),
        arguments: [
            ("derived_text.mp4", .cannotOpen), ("derived_zero_bytes.mp4", .cannotOpen), ("derived_truncated_45pct.mp4", .truncated),
            ("sample_audio_only.mp4", .noVideoStream), ("invalid_userdata.mp4", .truncated), ("hevc_white_frame.mp4", .tooShort),
        ] as [(String, MediaError.Reason)])
    func refuses(name: String, reason: MediaError.Reason) {
        let error = #expect(throws: MediaError.self) { try VideoRecord(inspecting: "videos/odd/" + name, in: Self.root) }
        #expect(error?.reason == reason)
    }

    @Test(
        "a file that lacks more than half of what its container promises is truncated",
        arguments: [
            "kinetics_like/demo.mp4", "kinetics_like/-1GRj5UvVBA_000025_000035.mp4", "kinetics_like/flipping_a_pancake.mkv",
            "kinetics_like/demo.avi", "codecs/testsrc2_vp8.webm", "codecs/sample_fragmented.mp4", "odd/video_90.mov", "codecs/sample.flv",
        ])
    func cutFiles(name: String) throws {
        try withTemporaryFolder { folder in
            let whole = try Data(contentsOf: URL(fileURLWithPath: Self.root + "/videos/" + name))
            let path = "cut." + (name as NSString).pathExtension
            try whole.prefix(whole.count * 45 / 100).write(to: URL(fileURLWithPath: folder + "/" + path))
            let error = #expect(throws: MediaError.self) { try VideoRecord(inspecting: path, in: folder) }
            #expect(error?.reason == .truncated, "\(String(describing: error))")
        }
    }

    /// PyAV says of this file that the packet of one frame is refused; no key frame follows it. Of no other file does a decoder complain.
    @Test func damagedFramesAreListed() throws {
        let record = try VideoRecord(inspecting: "videos/odd/corrupted.mp4", in: Self.root)
        #expect(record.damagedFrames == Array(29..<49))
        for (path, _, _) in Self.decodable where path != "videos/odd/corrupted.mp4" {
            #expect(try VideoRecord(inspecting: path, in: Self.root).damagedFrames.isEmpty, "\(path)")
        }
    }

    @Test(
        "records give the size a viewer sees",
        arguments: [
            ("videos/odd/video_90.mov", 320, 568), ("videos/odd/nasa_13013_rotated.mp4", 270, 480),
            ("videos/kinetics_like/demo.mp4", 427, 256),
            ("videos/odd/video_0.mov", 568, 320),
        ])
    func uprightSizes(path: String, width: Int, height: Int) throws {
        let record = try VideoRecord(inspecting: path, in: Self.root)
        #expect((record.width, record.height) == (width, height))
    }
}
