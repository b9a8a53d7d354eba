import Sampling
import Testing

@Suite struct SpanSamplerTests {
    private struct Drawn: Equatable {
        let pictures: [PlacedPicture]
        let mask: [UInt8]
        let views: [View]

        var frames: [Int] { views.map(\.frame) }
    }

    private func draw(_ sampler: SpanSampler, _ draw: Draw) throws -> Drawn {
        try withSample(of: sampler, draw) { sample, pictures in
            #expect(sample.matches(SampleLayout(sampler.arrays)))
            return Drawn(pictures: pictures, mask: Array(sample.bytes("mask")!), views: sample.views)
        }
    }

    private static func record(frames: Int, rate: Int = 30) -> VideoRecord {
        videoRecord(times: (0..<Int64(frames)).map { $0 }, timeBase: Rational(1, rate), width: 340, height: 256)
    }

    private static let small = SpanSampler { ($0.sampling.imageSize, $0.patchSize) = (32, 8) }

    /// `long(clamp(linspace(0, span - 1, 16), 0, frames - 1))`, the published rule for videos that are no longer than a span, worked out by
    /// hand: spans of 64 frames at 30 a second, of 51.2 at 24, of 128 at 60, whose moments are 4.2, 3.3467 and 8.4667 frames apart.
    @Test(arguments: [
        (30, 40, [0, 4, 8, 12, 16, 21, 25, 29, 33, 37, 39, 39, 39, 39, 39, 39]),
        (24, 51, [0, 3, 6, 10, 13, 16, 20, 23, 26, 30, 33, 36, 40, 43, 46, 50]),
        (60, 128, [0, 8, 16, 25, 33, 42, 50, 59, 67, 76, 84, 93, 101, 110, 118, 127]),
        (30, 2, [0] + Array(repeating: 1, count: 15)),
    ]) func shortVideosStartAtTheirFirstFrame(rate: Int, frames: Int, expected: [Int]) throws {
        for ticket in 0..<20 {
            #expect(try draw(Self.small, Draw(seed: 1, ticket: ticket, record: Self.record(frames: frames, rate: rate))).frames == expected)
        }
    }

    @Test(arguments: [(30, 64, false), (30, 63, true), (60, 127, true), (60, 128, false)])
    func videosShorterThanASpanAreKnown(rate: Int, frames: Int, expected: Bool) {
        #expect(Self.small.outlasts(Self.record(frames: frames, rate: rate)) == expected)
    }

    /// Starts anywhere that leaves room for 64 of 74 frames, every patch visible as often as the others, one crop throughout.
    @Test func drawsAreFairAndWithinTheirBounds() throws {
        var (starts, visible, flips) = ([Int](repeating: 0, count: 10), [Int](repeating: 0, count: 128), 0)
        for ticket in 0..<10_000 {
            let drawn = try draw(Self.small, Draw(seed: 1, ticket: ticket, record: Self.record(frames: 74)))
            starts[drawn.frames[0]] += 1
            #expect(zip(drawn.frames, drawn.frames.dropFirst()).allSatisfy { (4...5).contains($1 - $0) })
            #expect(drawn.frames[15] - drawn.frames[0] == 63)
            #expect(
                drawn.views.allSatisfy { $0.box == drawn.views[0].box && $0.isFlipped == drawn.views[0].isFlipped && $0.tick == $0.frame })
            let box = drawn.views[0].box
            #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 340 && box.y + box.height <= 256)
            #expect(box.width * box.height > 340 * 256 * 48 / 100)
            flips += drawn.views[0].isFlipped ? 1 : 0
            #expect(drawn.mask.count { $0 == 0 } == 12)
            for index in drawn.mask.indices where drawn.mask[index] == 0 { visible[index] += 1 }
        }
        // Of 10,000: 1,000 each with a deviation of 30, 937.5 with 29, 5,000 with 50.
        #expect(starts.allSatisfy { abs($0 - 1000) < 150 } && abs(flips - 5000) < 250)
        #expect(visible.allSatisfy { abs($0 - 938) < 150 })
    }

    @Test func aDrawIsAPureFunctionOfItsName() throws {
        func drawn(seed: UInt64 = 1, ticket: Int = 2, replica: Int = 1, attempt: Int = 0) throws -> Drawn {
            try draw(
                Self.small, Draw(seed: seed, ticket: ticket, replica: replica, attempt: attempt, record: Self.record(frames: 300)))
        }
        let first = try drawn()
        #expect(try drawn() == first)
        for other in [try drawn(seed: 2), try drawn(ticket: 3), try drawn(replica: 0), try drawn(attempt: 1)] {
            #expect(other.frames != first.frames && other.mask != first.mask)
        }
    }

    /// Where every span meets a damaged frame, its neighbours stand in.
    @Test func damagedFramesAreNotShown() throws {
        var record = Self.record(frames: 200)
        record.damagedFrames = (0..<200).filter { $0 % 3 != 1 }
        for ticket in 0..<200 {
            let views = try draw(Self.small, Draw(seed: 1, ticket: ticket, record: record)).views
            #expect(views.allSatisfy { $0.frame % 3 == 1 })
        }
    }

    /// Known answers: rules.json of the golden recipes, "visible tokens".
    @Test(arguments: [(16, 224, 16, 156), (16, 160, 16, 79), (8, 32, 8, 6)])
    func patchesThatStayVisible(frames: Int, imageSize: Int, patch: Int, expected: Int) {
        let sampler = SpanSampler { ($0.sampling.frames, $0.sampling.imageSize, $0.patchSize) = (frames, imageSize, patch) }
        #expect(sampler.arrays.first { $0.name == "mask" }?.zeros == expected...expected)
    }

    @Test(arguments: [
        ("sampling.frames", 15, 224, 0.9, "is 15, which patches of 2 frames (model.tubelet) do not divide"),
        ("sampling.imageSize", 16, 220, 0.9, "is 220, which patches of 16 pixels do not divide"),
        ("mask.ratio", 2, 16, 0.9, "is 0.9, which leaves no visible patch of 1: lower it"),
        ("mask.ratio", 16, 224, 0.0, "is 0.0, which hides no patch of 1568, so that there is no loss: raise it"),
    ]) func impossibleSettingsAreNamed(key: String, frames: Int, imageSize: Int, ratio: Double, message: String) {
        let sampler = SpanSampler { ($0.sampling.frames, $0.sampling.imageSize, $0.mask.ratio) = (frames, imageSize, ratio) }
        #expect(sampler.problem?.key == key && sampler.problem?.message == message)
    }
}
