import Base
import Media
import Sampling
import TestSupport
import Testing

/// One decoder serves videos whose streams are described alike, and what it saw of one leaves no trace in the next.
struct ReaderToolsTests {
    /// A clip, what is known of it, and the hashes of its frames in a sequential decode.
    private struct Clip {
        let path: String
        let record: VideoRecord
        var hashes: [String] = []

        init(_ name: String, in folder: String, width: Int = 160, bFrames: Int, firstPicture: Int) throws {
            path = folder + "/" + name
            var writer = try VideoWriter(
                path: path, width: width, height: 96, framesPerSecond: Rational(30, 1),
                options: VideoWriter.Options(groupOfPictures: 10, bFrames: bFrames))
            for picture in firstPicture..<firstPicture + 40 {
                try testPicture(width: width, height: 96, frame: picture).withUnsafeBytes { try writer.write(rgb: $0) }
            }
            try writer.finish()
            var hashes: [String] = []
            record = try VideoRecord(inspecting: name, in: folder) { _, frame in
                frame.withPackedPlanes { hashes.append(PixelHash.hexadecimal(of: $0)) }
            }
            self.hashes = hashes
        }
    }

    /// Visits a few random frames of each clip in turn; returns how many were visited.
    private func visit(_ clips: [Clip], _ tools: ReaderTools, turns: Int) throws -> Int {
        var generator = SplitMix64(seed: 5)
        var visited = 0
        for turn in 0..<turns {
            let clip = clips[turn % clips.count]
            let frames = (0..<clip.record.frameCount).shuffled(using: &generator).prefix(2).sorted()
            try VideoReader(path: clip.path, record: clip.record, tools: tools).visit(frames) { index, frame in
                visited += 1
                frame.withPackedPlanes {
                    #expect(PixelHash.hexadecimal(of: $0) == clip.hashes[index], "frame \(index) of \(clip.path) in turn \(turn)")
                }
            }
        }
        return visited
    }

    @Test("frames are exact through one decoder for many videos", arguments: ["mp4", "mkv"], [0, 2])
    func oneDecoder(container: String, bFrames: Int) throws {
        try withTemporaryFolder { folder in
            let clips = try (0..<3).map {
                try Clip("\($0).\(container)", in: folder, bFrames: bFrames, firstPicture: 50 * $0)
            }
            let tools = ReaderTools()
            #expect(try visit(clips, tools, turns: 30) == 60)
            #expect(tools.costs.decodersOpened == 1)
        }
    }

    @Test("another size, or another reordering, takes another decoder") func otherStreams() throws {
        try withTemporaryFolder { folder in
            let clips = [
                try Clip("a.mp4", in: folder, bFrames: 2, firstPicture: 0),
                try Clip("b.mp4", in: folder, width: 192, bFrames: 2, firstPicture: 50),
                try Clip("c.mp4", in: folder, bFrames: 0, firstPicture: 100),
            ]
            let tools = ReaderTools()
            #expect(try visit(clips, tools, turns: 9) == 18)
            #expect(tools.costs.decodersOpened == 9)
        }
    }

    /// MPEG-4 in AVI is none of the streams that are known to leave nothing behind.
    @Test("a decoder that was never shown to forget is not handed on", .enabled(if: FFmpeg.path != nil, .init(rawValue: FFmpeg.absence)))
    func otherCodecs() throws {
        try withTemporaryFolder { folder in
            try FFmpeg.run(["-f", "lavfi", "-i", "testsrc2=s=160x96:r=25:d=1", "-c:v", "mpeg4", "a.avi"], in: folder)
            let record = try VideoRecord(inspecting: "a.avi", in: folder)
            let tools = ReaderTools()
            for _ in 0..<3 { try VideoReader(path: folder + "/a.avi", record: record, tools: tools).visit([3]) { _, _ in } }
            #expect(tools.costs.decodersOpened == 3)
        }
    }
}
