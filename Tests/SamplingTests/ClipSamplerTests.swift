import Sampling
import Testing

@Suite struct ClipSamplerTests {
    private struct Drawn: Equatable {
        let pictures: [PlacedPicture]
        let mask: [UInt8]
        let views: [View]
    }

    private func draw(_ sampler: ClipSampler, _ draw: Draw) throws -> Drawn {
        try withSample(of: sampler, draw) { sample, pictures in
            #expect(sample.matches(SampleLayout(sampler.arrays)))
            return Drawn(pictures: pictures, mask: Array(sample.bytes("mask")!), views: sample.views)
        }
    }

    private static func record(frames: Int = 74, width: Int = 340, height: Int = 256) -> VideoRecord {
        videoRecord(times: (0..<Int64(frames)).map { $0 }, timeBase: Rational(1, 30), width: width, height: height)
    }

    /// Every start that leaves room for 64 frames as often as the others, every place visible as often, one crop and one mask throughout.
    @Test func drawsAreFairAndWithinTheirBounds() throws {
        var (starts, visible, flips) = ([Int](repeating: 0, count: 11), [Int](repeating: 0, count: 16), 0)
        let sampler = ClipSampler { ($0.sampling.imageSize, $0.patchSize, $0.sampling.flip) = (32, 8, 0.25) }
        for ticket in 0..<10_000 {
            let drawn = try draw(sampler, Draw(seed: 1, ticket: ticket, record: Self.record()))
            let first = drawn.views[0]
            starts[first.frame] += 1
            #expect(
                drawn.views.map(\.frame) == (0..<16).map { first.frame + 4 * $0 } && drawn.views.map(\.tick) == drawn.views.map(\.frame))
            #expect(drawn.views.allSatisfy { $0.box == first.box && $0.isFlipped == first.isFlipped })
            flips += first.isFlipped ? 1 : 0
            let step = Array(drawn.mask[..<16])
            #expect(step.count { $0 == 0 } == 2 && step.count { $0 == 1 } == 14)
            #expect(drawn.mask == (0..<8).flatMap { _ in step })
            for index in step.indices where step[index] == 0 { visible[index] += 1 }
            #expect(
                drawn.pictures
                    == drawn.views.indices.map {
                        PlacedPicture(request: drawn.views[$0].request(size: 32, scaling: .bilinear), array: "frames", index: $0)
                    })
        }
        // Of 10,000: 909 each with a deviation of 29, 1,250 with 33, 2,500 with 43.
        #expect(starts.allSatisfy { abs($0 - 909) < 150 } && visible.allSatisfy { abs($0 - 1250) < 170 } && abs(flips - 2500) < 220)
    }

    /// Worked out from the published loop by hand: with `offset` counted from 1 it goes on while `offset + stride < frames`.
    @Test(
        arguments: [
            (61, 4, (0..<15).map { $0 * 4 } + [56]), (62, 4, (0..<16).map { $0 * 4 }), (10, 4, [0, 4] + Array(repeating: 8, count: 14)),
            (9, 4, Array([0] + Array(repeating: 4, count: 15))), (2, 4, Array(repeating: 0, count: 16)), (17, 1, nil),
        ] as [(Int, Int, [Int]?)]) func shortVideosRepeatTheirLastFrame(frames: Int, stride: Int, expected: [Int]?) throws
    {
        let sampler = ClipSampler { ($0.sampling.imageSize, $0.patchSize, $0.sampling.stride) = (32, 8, stride) }
        for ticket in 0..<20 {
            let drawn = try draw(sampler, Draw(seed: 1, ticket: ticket, record: Self.record(frames: frames)))
            // 17 frames leave room for 16 from the first or the second; the very last frame is never reached.
            let first = drawn.views[0].frame
            let expected = expected ?? (0..<16).map { min(first + $0, 15) }
            #expect(drawn.views.map(\.frame) == expected)
        }
    }

    @Test(arguments: [(63, 4, true), (64, 4, false), (31, 2, true), (32, 2, false)])
    func videosShorterThanAClipAreKnown(frames: Int, stride: Int, expected: Bool) {
        #expect(ClipSampler { $0.sampling.stride = stride }.outlasts(Self.record(frames: frames)) == expected)
    }

    @Test func presentationTimesGiveTheSameMotion() throws {
        let sampler = ClipSampler {
            ($0.sampling.imageSize, $0.patchSize, $0.sampling.frames, $0.sampling.stride, $0.sampling.timeline) = (
                32, 8, 4, 2, .presentationTime
            )
        }
        // 60 frames a second: two ticks of a thirtieth are four frames.
        let record = videoRecord(times: (0..<100).map { $0 }, timeBase: Rational(1, 60))
        let views = try draw(sampler, Draw(seed: 1, ticket: 3, record: record)).views
        #expect(zip(views, views.dropFirst()).allSatisfy { $1.frame - $0.frame == 4 && $1.tick - $0.tick == 2 })
    }

    /// Sides of 256, 224, 192 and 168 pixels of 340 x 256, in the ten pairs that are equal or next to each other, at 13 places.
    @Test func cropsAreOfFewSizesAtFewPlaces() throws {
        var (pairs, places) = ([[Int]: Int](), [[Double]: Int]())
        for ticket in 0..<13_000 {
            var stream = RandomStream(seed: 4, purpose: .crop, ticket: ticket)
            let box = CropBox.multiScale(width: 340, height: 256, scales: [1, 0.875, 0.75, 0.66], size: 224, from: &stream)
            pairs[[box.width, box.height], default: 0] += 1
            #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 340 && box.y + box.height <= 256)
            guard box.width == 192, box.height == 192 else { continue }
            places[[Double(box.x) / 37, Double(box.y) / 16], default: 0] += 1
        }
        let sides = [256, 224, 192, 168]
        let expected = sides.indices.flatMap { i in sides.indices.filter { abs(i - $0) <= 1 }.map { [sides[i], sides[$0]] } }
        #expect(Set(pairs.keys) == Set(expected) && expected.count == 10)
        // 1,300 each with a deviation of 34.
        #expect(pairs.values.allSatisfy { abs($0 - 1300) < 170 })
        let named: [[Double]] = [
            [0, 0], [4, 0], [0, 4], [4, 4], [2, 2], [0, 2], [4, 2], [2, 4], [2, 0], [1, 1], [3, 1], [1, 3], [3, 3],
        ]
        #expect(Set(places.keys) == Set(named) && places.values.allSatisfy { abs($0 - 100) < 50 })
    }

    /// A side near the size wanted is that size, as far as the picture has as many pixels.
    @Test(arguments: [(340, 256, 258, 256), (300, 226, 224, 224), (300, 226, 228, 226), (222, 300, 224, 222)])
    func sidesNearTheSizeWantedAreTheSize(width: Int, height: Int, size: Int, expected: Int) {
        var stream = RandomStream(seed: 4, purpose: .crop, ticket: 0)
        let box = CropBox.multiScale(width: width, height: height, scales: [1], size: size, from: &stream)
        #expect(box.width == expected && box.height == expected)
    }

    @Test func aDrawIsAPureFunctionOfItsName() throws {
        let sampler = ClipSampler { ($0.sampling.imageSize, $0.patchSize) = (112, 8) }
        func drawn(seed: UInt64 = 1, ticket: Int = 2, replica: Int = 1, attempt: Int = 0) throws -> Drawn {
            try draw(sampler, Draw(seed: seed, ticket: ticket, replica: replica, attempt: attempt, record: Self.record(frames: 300)))
        }
        let first = try drawn()
        #expect(try drawn() == first)
        for other in [try drawn(seed: 2), try drawn(ticket: 3), try drawn(replica: 0), try drawn(attempt: 1)] {
            #expect(other.views != first.views && other.mask != first.mask)
        }
    }

    /// One damaged frame in ten: clips of four frames find their way around them. Where every clip meets one, its neighbours stand in.
    @Test func damagedFramesAreNotShown() throws {
        let few = ClipSampler { ($0.sampling.imageSize, $0.patchSize, $0.sampling.frames) = (32, 8, 4) }
        var record = Self.record(frames: 200)
        record.damagedFrames = Array(100..<120)
        for ticket in 0..<500 {
            let frames = try draw(few, Draw(seed: 1, ticket: ticket, record: record)).views.map(\.frame)
            #expect(frames.allSatisfy { !(100..<120).contains($0) } && zip(frames, frames.dropFirst()).allSatisfy { $1 - $0 == 4 })
        }
        record.damagedFrames = (0..<200).filter { $0 % 3 != 1 }
        for ticket in 0..<500 {
            let views = try draw(few, Draw(seed: 1, ticket: ticket, record: record)).views
            #expect(views.allSatisfy { $0.frame % 3 == 1 && abs($0.frame - $0.tick) <= 1 })
        }
    }

    /// Known answers: rules.json of the golden recipes, "visible tokens", "tube mask" and "counts".
    @Test(arguments: [
        (196, 0.75, 49), (196, 0.9, 20), (256, 0.75, 64), (256, 0.9, 26), (100, 0.9, 10), (100, 0.75, 25), (50, 0.8, 10), (64, 0.9, 7),
        (36, 0.75, 9), (10, 0.9, 1), (16, 0.95, 1),
    ]) func placesThatStayVisible(places: Int, ratio: Double, expected: Int) {
        #expect(TubeMask.visibleCount(of: places, ratio: ratio) == expected)
    }

    @Test func tubesGoThroughAllSteps() {
        func visible(_ order: [Int], steps: Int, ratio: Double) -> [Int] {
            let count = TubeMask.visibleCount(of: order.count, ratio: ratio)
            let step = order.indices.map { order[..<count].contains($0) ? UInt8(0) : 1 }
            let mask = TubeMask.mask(step, steps: steps)
            return mask.indices.filter { mask[$0] == 0 }
        }
        #expect(visible([4, 0, 5, 2, 1, 3], steps: 2, ratio: 0.75) == [0, 4, 6, 10])
        let large = visible((0..<196).map { $0 * 61 % 196 }, steps: 8, ratio: 0.9)
        #expect(large.count == 160 && Array(large[..<10]) == [0, 9, 22, 35, 48, 57, 61, 70, 83, 96])
        #expect(Array(large[150...]) == [1481, 1490, 1494, 1503, 1516, 1529, 1542, 1551, 1555, 1564])
    }

    @Test func itSurvivesTheWire() throws {
        let sampler = AnySampler(ClipSampler { ($0.sampling.imageSize, $0.mask.ratio, $0.sampling.cropScales) = (96, 0.6, [1, 0.5]) })
        let plan = PlanIdentity(manifestHash: "abc", seed: 5, sampler: sampler)
        let read = try sent(plan)
        #expect(read == plan && read.sampler != AnySampler(ImageSampler()))
    }
}
