import Base
import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// Frames are reached by no more decoding than they need, and are the same for it.
struct LeastWorkTests {
    @Test("only what leads from a key frame to a wanted frame is decoded", arguments: [1, 4, 30])
    func onlyTheWayIsDecoded(wanted: Int) throws {
        try withTemporaryFolder { folder in
            let path = try writeTestClip(folder + "/a.mp4", frames: 100, options: .init(groupOfPictures: 10, bFrames: 0))
            let record = try VideoRecord(inspecting: "a.mp4", in: folder)
            #expect(record.keyFrames.count >= 10)
            var generator = SplitMix64(seed: UInt64(wanted))
            let frames = (0..<100).shuffled(using: &generator).prefix(wanted).sorted()
            let tools = ReaderTools()
            try VideoReader(path: path, record: record, tools: tools).visit(frames) { _, _ in }
            // In each group all up to the last one wanted, as every picture refers to the one before.
            let ends = Dictionary(grouping: frames) { frame in record.keyFrames.last { $0 <= frame }! }
            #expect(tools.costs.framesDecoded == ends.reduce(0) { $0 + $1.value.max()! - $1.key + 1 })
        }
    }

    @Test(
        "passing over B-pictures changes no other", arguments: ["b-pictures-1.mkv", "b-pictures-2.mkv", "b-pictures-4.mp4"], [1, 3, 8])
    func passesOver(name: String, atOnce: Int) throws {
        var hashes: [String] = []
        let record = try VideoRecord(inspecting: name, in: fixture("Videos")) { _, frame in
            frame.withPackedPlanes { hashes.append(PixelHash.hexadecimal(of: $0)) }
        }
        #expect(record.frameCount == 40 && Set(hashes).count == 40)
        let tools = ReaderTools()
        let reader = try VideoReader(path: fixture("Videos/" + name), record: record, tools: tools)
        var generator = SplitMix64(seed: 3)
        for _ in 0..<40 {
            let frames = (0..<40).shuffled(using: &generator).prefix(atOnce).sorted()
            try reader.visit(frames) { index, frame in
                frame.withPackedPlanes { #expect(PixelHash.hexadecimal(of: $0) == hashes[index], "frame \(index) of \(frames)") }
            }
        }
        // A group has up to 12 pictures, four of them no B-pictures.
        if atOnce == 1 { #expect(tools.costs.framesDecoded < 40 * 6) }
    }
}
