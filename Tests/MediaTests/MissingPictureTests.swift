import Base
import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// A way to encode 60 pictures in groups of 20, of which packets will be missing.
struct LossyStream: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let container: String
    let encoding: [String]
    /// Whether the decoder knows its reference pictures by number, so that frames which show that one is missing can be listed.
    var listsFrames = false
    /// Whether libav's decoder leaves pictures unfinished, which show what its memory held before: then ffmpeg prints other hashes from run
    /// to run.
    var isUndefined = false

    private static func x264(_ options: String) -> [String] {
        ["-c:v", "libx264", "-x264-params", "threads=1:keyint=20:min-keyint=20:scenecut=0:b-adapt=0:" + options]
    }

    private static func x265(_ options: String) -> [String] {
        [
            "-c:v", "libx265", "-x265-params",
            "log-level=none:pools=1:frame-threads=1:keyint=20:min-keyint=20:scenecut=0:b-adapt=0:" + options,
        ]
    }

    static let all = [
        Self(testDescription: "H.264", container: "mp4", encoding: x264("bframes=0"), listsFrames: true),
        Self(testDescription: "H.264 with B-frames", container: "mp4", encoding: x264("bframes=2:b-pyramid=none"), listsFrames: true),
        Self(testDescription: "H.264 with B-frames", container: "mkv", encoding: x264("bframes=2:b-pyramid=none"), listsFrames: true),
        Self(testDescription: "H.264 with B-frames", container: "ts", encoding: x264("bframes=2:b-pyramid=none"), listsFrames: true),
        Self(
            testDescription: "H.264 with a pyramid", container: "mp4", encoding: x264("bframes=3:b-pyramid=strict:ref=4"), listsFrames: true
        ),
        Self(testDescription: "H.264 in fields", container: "mp4", encoding: x264("bframes=2:tff=1"), listsFrames: true),
        Self(testDescription: "H.264 in open groups", container: "mkv", encoding: x264("bframes=3:open-gop=1"), listsFrames: true),
        Self(testDescription: "HEVC", container: "mp4", encoding: x265("bframes=0"), listsFrames: true),
        Self(testDescription: "HEVC with B-frames", container: "mkv", encoding: x265("bframes=3:open-gop=0"), listsFrames: true),
        Self(testDescription: "HEVC in open groups", container: "mp4", encoding: x265("bframes=3:open-gop=1"), listsFrames: true),
        Self(testDescription: "MPEG-4", container: "mp4", encoding: ["-c:v", "mpeg4", "-g", "20"]),
        Self(testDescription: "MPEG-4 with B-frames", container: "mp4", encoding: ["-c:v", "mpeg4", "-g", "20", "-bf", "2"]),
        Self(testDescription: "MPEG-2", container: "ts", encoding: ["-c:v", "mpeg2video", "-g", "20"]),
        Self(testDescription: "MPEG-2 with B-frames", container: "mkv", encoding: ["-c:v", "mpeg2video", "-g", "20", "-bf", "2"]),
        Self(testDescription: "VP8", container: "webm", encoding: ["-c:v", "libvpx", "-g", "20", "-cpu-used", "8"], isUndefined: true),
        Self(testDescription: "VP9", container: "webm", encoding: ["-c:v", "libvpx-vp9", "-g", "20", "-cpu-used", "8"]),
        Self(testDescription: "AV1", container: "mkv", encoding: ["-c:v", "libsvtav1", "-preset", "12", "-g", "20"]),
    ]

    /// Makes the clip in a folder and returns its name.
    func make(in folder: String) throws -> String {
        let name = "whole." + container
        try FFmpeg.run(["-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=2.4", "-pix_fmt", "yuv420p"] + encoding + [name], in: folder)
        return name
    }
}

/// Copies a clip without some of its packets, counted in decoding order; returns the copy's name.
private func leaveOut(_ packets: [Int], of name: String, in folder: String) throws -> String {
    let lossy = packets.map(String.init).joined(separator: "-") + "." + (name as NSString).pathExtension
    let expression = packets.map { "eq(n\\,\($0))" }.joined(separator: "+")
    try FFmpeg.run(["-copyts", "-i", name, "-c", "copy", "-bsf:v", "noise=drop='\(expression)'", lossy], in: folder)
    return lossy
}

/// Streams from which a camera or a network lost pictures that others refer to. The container is whole, and the decoder does not complain.
@Suite("missing pictures", .enabled(if: FFmpeg.path != nil, .init(rawValue: FFmpeg.absence))) struct MissingPictureTests {
    /// Packets lost: of a group's beginning, middle and end, key frames, several in a row and in several groups.
    private static let losses = [
        [0], [1], [4], [7], [18], [19], [20], [21], [57], [7, 27], [5, 6, 7, 8, 9],
    ]

    @Test("frames are exact in any order, or listed", arguments: LossyStream.all) func agree(stream: LossyStream) throws {
        try withTemporaryFolder { folder in
            let name = try stream.make(in: folder)
            let whole = try FrameChecksums(sequential: folder + "/" + name)
            #expect(whole.entries.count == 60)
            let wholeRecord = try VideoRecord(inspecting: name, in: folder)
            #expect(wholeRecord.damagedFrames.isEmpty && wholeRecord.keyFrames.count >= 3)
            let wholeHashes = Set(whole.entries.map(\.md5))
            for packets in Self.losses {
                let comment: Comment = "without packets \(packets)"
                let lossy = try leaveOut(packets, of: name, in: folder)
                let record = try VideoRecord(inspecting: lossy, in: folder)
                let sequential = try FrameChecksums(sequential: folder + "/" + lossy)
                #expect(try FrameChecksums(random: folder + "/" + lossy, seed: 3) == sequential, comment)
                let hashes = try ffmpegHashes(folder + "/" + lossy)
                try #require(hashes.count == sequential.entries.count, comment)
                for (frame, entry) in sequential.entries.enumerated() {
                    let isListed = record.isDamaged(frame)
                    #expect(entry.md5 == hashes[frame] || stream.isUndefined && isListed, "frame \(frame), without packets \(packets)")
                    if stream.listsFrames {
                        #expect(isListed || wholeHashes.contains(entry.md5), "frame \(frame), without packets \(packets)")
                    }
                }
                // A group each, and the pictures of the next that are shown before its key frame.
                #expect(record.damagedFrames.count < 24 * packets.count, comment)
            }
        }
    }

    /// A group is I P b b P b b …
    @Test("a picture that no other refers to is not missed", arguments: ["mp4", "ts"]) func others(container: String) throws {
        try withTemporaryFolder { folder in
            let stream = try #require(LossyStream.all.first { $0.encoding[1] == "libx264" && $0.encoding[3].contains("bframes=2") })
            try FFmpeg.run(["-i", stream.make(in: folder), "-c", "copy", "a." + container], in: folder)
            let lossy = try leaveOut([5, 23, 26], of: "a." + container, in: folder)
            let record = try VideoRecord(inspecting: lossy, in: folder)
            #expect(record.frameCount == 57 && record.damagedFrames.isEmpty && record.keyFrames == [0, 19, 37])
            let whole = Set(try FrameChecksums(sequential: folder + "/a." + container).entries.map(\.md5))
            #expect(try expectExactFrames(folder + "/" + lossy).entries.allSatisfy { whole.contains($0.md5) })
        }
    }

    @Test("a video of which too little would be left lists none, and is exact") func littleIsLeft() throws {
        try withTemporaryFolder { folder in
            let name = try LossyStream.all[1].make(in: folder)
            let lossy = try leaveOut([1, 21, 41], of: name, in: folder)
            let record = try VideoRecord(inspecting: lossy, in: folder)
            #expect(record.frameCount == 57 && record.damagedFrames.isEmpty && record.keyFrames.isEmpty)
            try expectExactFrames(folder + "/" + lossy)
        }
    }

    /// As a decoder process reads: a few frames of one video, then of another, with what the last reader left. Manifests may have been made
    /// when nothing was known of missing pictures.
    @Test("tickets of lossy and whole videos in any order give the same bytes", arguments: [true, false])
    func tickets(isListed: Bool) throws {
        try withTemporaryFolder { folder in
            var clips: [(record: VideoRecord, hashes: [String])] = []
            for (index, stream) in [LossyStream.all[1], LossyStream.all[4], LossyStream.all[8]].enumerated() {
                try FFmpeg.run(["-i", stream.make(in: folder), "-c", "copy", "\(index)." + stream.container], in: folder)
                for packets in [[7], [1, 21, 41], [2]] {
                    let name = try leaveOut(packets, of: "\(index)." + stream.container, in: folder)
                    let kept = "\(index)-" + name
                    try FileManager.default.moveItem(atPath: folder + "/" + name, toPath: folder + "/" + kept)
                    var hashes: [String] = []
                    var record = try VideoRecord(inspecting: kept, in: folder) { _, frame in hashes.append(frame.hexadecimalHash(.murmur3))
                    }
                    if !isListed { record.damagedFrames = [] }
                    clips.append((record, hashes))
                }
            }
            let tools = ReaderTools()
            var generator = SplitMix64(seed: 11)
            for ticket in 0..<400 {
                let (record, hashes) = clips[Int.random(in: 0..<clips.count, using: &generator)]
                let frames = (0..<2).map { _ in Int.random(in: 0..<record.frameCount, using: &generator) }
                let reader = try VideoReader(path: folder + "/" + record.path, record: record, tools: tools)
                try reader.visit(Set(frames).sorted()) { index, frame in
                    #expect(frame.hexadecimalHash(.murmur3) == hashes[index], "frame \(index) of \(record.path), ticket \(ticket)")
                }
            }
        }
    }

    // MARK: Numbers that are missing on purpose

    /// The P-frames of a pyramid do not refer to its B-frames. Without these, numbers are missing, and the sequence parameter set says so.
    @Test("where an encoder announces gaps, frames are whole and key frames are begun at") func announced() throws {
        try withTemporaryFolder { folder in
            let options = "threads=1:keyint=20:scenecut=0:bframes=3:b-adapt=0:b-pyramid=strict:ref=1"
            try FFmpeg.run(
                [
                    "-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=2.4", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-x264-params", options,
                    "a.mp4",
                ],
                in: folder)
            // A group is I P B b b P B b b …, and one B-frame fewer at its end.
            let kept = [0, 1, 5, 9, 13, 17]
            let lossy = try leaveOut((0..<60).filter { !kept.contains($0 % 20) }, of: "a.mp4", in: folder)
            try announceGaps(folder + "/" + lossy)
            let record = try VideoRecord(inspecting: lossy, in: folder)
            #expect(record.damagedFrames.isEmpty && record.keyFrames == [0, 6, 12])
            let whole = Set(try FrameChecksums(sequential: folder + "/a.mp4").entries.map(\.md5))
            let frames = try expectExactFrames(folder + "/" + lossy)
            #expect(frames.entries.count == 18 && frames.entries.allSatisfy { whole.contains($0.md5) })
        }
    }

    @Test(
        "a loss that an encoder seems to have announced is exact in any order",
        arguments: [[4], [10], [20, 21], [21], [41], [25], [7, 27]])
    func announcedLoss(packets: [Int]) throws {
        try withTemporaryFolder { folder in
            for index in [1, 4, 6] {
                try FFmpeg.run(["-i", LossyStream.all[index].make(in: folder), "-c", "copy", "\(index).mp4"], in: folder)
                let lossy = try leaveOut(packets, of: "\(index).mp4", in: folder)
                try announceGaps(folder + "/" + lossy)
                #expect(try VideoRecord(inspecting: lossy, in: folder).damagedFrames.isEmpty)
                try expectExactFrames(folder + "/" + lossy)
                try FileManager.default.removeItem(atPath: folder + "/" + lossy)
            }
        }
    }

    /// Sets `gaps_in_frame_num_value_allowed_flag` in the sequence parameter set of an MP4 (ITU-T H.264, 7.3.2.1.1).
    private func announceGaps(_ path: String) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        // ISO 14496-15, 5.3.3.1: six bytes, a length of two, the set, whose first byte is its type.
        let set = try #require(data.range(of: Data("avcC".utf8))).upperBound + 8
        try #require(data[set] & 31 == 7)
        var place = (set + 1) * 8
        func read(_ count: Int) -> Int {
            (0..<count).reduce(0) { number, _ in
                defer { place += 1 }
                return number << 1 | Int(data[place / 8] >> (7 - place % 8)) & 1
            }
        }
        func readCode() -> Int {
            var zeros = 0
            while read(1) == 0 { zeros += 1 }
            return 1 << zeros - 1 + read(zeros)
        }
        let profile = read(8)
        _ = (read(16), readCode())
        // High profile: 4:2:0, two depths, a flag, no scaling matrix.
        if profile == 100 { try #require((readCode(), readCode(), readCode(), read(2)) == (1, 0, 0, 0)) }
        _ = readCode()
        let orderType = readCode()
        try #require(orderType != 1)
        if orderType == 0 { _ = readCode() }
        _ = readCode()
        data[place / 8] |= 0x80 >> (place % 8)
        try data.write(to: URL(fileURLWithPath: path))
    }
}
