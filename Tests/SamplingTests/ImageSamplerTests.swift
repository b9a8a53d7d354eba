import Sampling
import Testing

@Suite struct ImageSamplerTests {
    private struct Drawn {
        let pictures: [PlacedPicture]
        let mask: [UInt8]
        let view: View
    }

    private func draw(_ sampler: ImageSampler, _ draw: Draw) throws -> Drawn {
        try withSample(of: sampler, draw) { sample, pictures in
            Drawn(pictures: pictures, mask: Array(sample.bytes("mask")!), view: sample.views[0])
        }
    }

    private static let record = videoRecord(times: (0..<50).map { $0 }, timeBase: Rational(1, 30))

    /// `int(n * (1 - ratio))` as Python computes it: rules.json of the golden recipes has 49 of 196 at 0.75.
    @Test(arguments: [(224, 16, 0.75, 49), (160, 16, 0.9, 9), (28, 4, 0.75, 12), (224, 16, 0.0, 196)])
    func visiblePatches(imageSize: Int, patchSize: Int, ratio: Double, expected: Int) {
        let sampler = ImageSampler {
            ($0.sampling.imageSize, $0.patchSize, $0.mask.ratio) = (imageSize, patchSize, ratio)
        }
        #expect(sampler.visiblePatchCount == expected)
        #expect(sampler.arrays.first { $0.name == "mask" }?.zeros == expected...expected)
    }

    /// Every frame, every patch and either direction as often as the others; crops of 0.2 to 1 of the frame's area.
    @Test func drawsAreFairAndWithinTheirBounds() throws {
        var (frames, visible, flips) = ([Int](repeating: 0, count: 50), [Int](repeating: 0, count: 196), 0)
        var areas: [Double] = []
        for ticket in 0..<10_000 {
            let drawn = try draw(ImageSampler(), Draw(seed: 1, ticket: ticket, record: Self.record))
            #expect(drawn.mask.count { $0 == 0 } == 49 && drawn.mask.count { $0 == 1 } == 147)
            for index in drawn.mask.indices where drawn.mask[index] == 0 { visible[index] += 1 }
            frames[drawn.view.frame] += 1
            flips += drawn.view.isFlipped ? 1 : 0
            let box = drawn.view.box
            areas.append(Double(box.width * box.height) / Double(Self.record.width * Self.record.height))
            #expect(drawn.pictures == [PlacedPicture(request: drawn.view.request(size: 224), array: "frames", index: 0)])
        }
        // Of 10,000: 200 each with a deviation of 14, 2,500 with 43, 5,000 with 50.
        #expect(frames.allSatisfy { abs($0 - 200) < 75 } && visible.allSatisfy { abs($0 - 2500) < 220 } && abs(flips - 5000) < 250)
        #expect(areas.min()! < 0.25 && areas.max()! > 0.9 && areas.allSatisfy { $0 > 0.18 && $0 <= 1 })
    }

    @Test func aDrawIsAPureFunctionOfItsName() throws {
        func drawn(seed: UInt64 = 1, ticket: Int = 2, replica: Int = 1, attempt: Int = 0) throws -> Drawn {
            try draw(ImageSampler(), Draw(seed: seed, ticket: ticket, replica: replica, attempt: attempt, record: Self.record))
        }
        let (first, again) = (try drawn(), try drawn())
        #expect(first.view == again.view && first.mask == again.mask)
        for other in [try drawn(seed: 2), try drawn(ticket: 3), try drawn(replica: 0), try drawn(attempt: 1)] {
            #expect(other.view != first.view && other.mask != first.mask)
        }
    }

    @Test func damagedFramesAreNotShown() throws {
        var record = Self.record
        record.damagedFrames = Array(0..<25)
        for ticket in 0..<500 {
            #expect(try draw(ImageSampler(), Draw(seed: 1, ticket: ticket, record: record)).view.frame >= 25)
        }
        record.damagedFrames = Array(0..<48)
        for ticket in 0..<500 {
            #expect(try draw(ImageSampler(), Draw(seed: 1, ticket: ticket, record: record)).view.frame >= 48)
        }
    }

    @Test func ofAStillTheStillIsDrawn() throws {
        let still = VideoRecord(
            stillAt: "a.jpg", bytes: 1000, width: 340, height: 256, orientation: Orientation(),
            contentHash: String(repeating: "0", count: 32))
        var boxes: Set<Int> = []
        for ticket in 0..<200 {
            let view = try draw(ImageSampler(), Draw(seed: 1, ticket: ticket, record: still)).view
            #expect(view.frame == 0 && view.tick == 0)
            // The crop is that of a video of the same size: only the frame is drawn from another number of them.
            let other = try draw(ImageSampler(), Draw(seed: 1, ticket: ticket, record: Self.record)).view
            #expect(view.box == other.box && view.isFlipped == other.isFlipped)
            boxes.insert(view.box.x << 16 | view.box.width)
        }
        #expect(boxes.count > 150)
    }

    @Test func itSurvivesTheWire() throws {
        let sampler = AnySampler(ImageSampler { ($0.sampling.imageSize, $0.mask.ratio) = (96, 0.6) })
        let plan = PlanIdentity(manifestHash: "abc", seed: 5, sampler: sampler)
        let read = try sent(plan)
        #expect(read == plan && read.sampler != AnySampler(FramePairSampler()))
    }
}
