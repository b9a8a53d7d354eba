import Foundation
import Sampling
import Testing

private let record = videoRecord(times: (0..<300).map { $0 }, timeBase: Rational(1, 30))

extension FramePairSampler {
    fileprivate static func draw(_ ticket: Int) -> Draw { Draw(seed: 7, ticket: ticket, replica: ticket % 2, record: record) }

    fileprivate func draw(_ ticket: Int) -> (views: [View], mask: [UInt8], pastMask: [UInt8]?) {
        geometry(Self.draw(ticket))
    }
}

@Suite struct MaskTests {
    /// Samples of the default sampler are the same bytes for good, whatever samplers learn besides: a run that began earlier continues.
    @Test func defaultSamplesStayTheSameBytes() {
        let sampler = FramePairSampler {
            $0.sampling.imageSize = 32
            $0.patchSize = 8
            $0.mask.ratio = 0.75
        }
        let layout = SampleLayout(sampler.arrays)
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for ticket in 0..<100 {
            var block = [UInt8](repeating: 0, count: layout.byteCount(path: record.path))
            let header = SampleHeader(
                fingerprint: 1, sample: ticket, ticket: ticket, replica: ticket % 2, attempt: 0, video: 0, path: record.path)
            block.withUnsafeMutableBytes { bytes in
                layout.write(header, to: bytes)
                _ = sampler.draw(FramePairSampler.draw(ticket), into: SampleWriter(layout, bytes))
            }
            for byte in block { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        #expect(hash == 0x325f_6341_7012_7a8f)
    }

    @Test(arguments: [
        (224, 16, 0.95, 9), (224, 8, 0.95, 36), (224, 16, 0.75, 49), (224, 16, 0.9, 16), (224, 16, 0.5, 81), (64, 8, 0.95, 1),
        (32, 16, 0.5, 1), (224, 16, 0, 196),
    ])
    func aGridIsTheNearestSquare(imageSize: Int, patchSize: Int, ratio: Double, expected: Int) {
        #expect(
            FramePairSampler {
                $0.sampling.imageSize = imageSize
                $0.patchSize = patchSize
                $0.mask.ratio = ratio
                $0.mask.pattern = .grid
            }.visiblePatchCount == expected)
    }

    @Test(arguments: [(224, 16, 0.95), (224, 8, 0.95), (224, 16, 0.5), (64, 8, 0.95), (112, 16, 0.2)])
    func aGridIsEvenlySpaced(imageSize: Int, patchSize: Int, ratio: Double) {
        let sampler = FramePairSampler {
            $0.sampling.imageSize = imageSize
            $0.patchSize = patchSize
            $0.mask.ratio = ratio
            $0.mask.pattern = .grid
        }
        let side = sampler.gridSize
        let lines = Int(Double(sampler.visiblePatchCount).squareRoot().rounded())
        var lattices: Set<[UInt8]> = []
        for ticket in 0..<300 {
            let mask = sampler.draw(ticket).mask
            lattices.insert(mask)
            let visible = mask.indices.filter { mask[$0] == 0 }
            let rows = Set(visible.map { $0 / side }).sorted(), columns = Set(visible.map { $0 % side }).sorted()
            #expect(visible.count == sampler.visiblePatchCount && rows.count == lines && columns.count == lines)
            for places in [rows, columns] {
                // Between neighbours, and from the last around the edge to the first.
                let gaps = zip(places, places.dropFirst() + [places[0] + side]).map { $1 - $0 }
                #expect(gaps.allSatisfy { $0 == side / lines || $0 == (side + lines - 1) / lines }, "\(places) of \(side)")
            }
        }
        #expect(lattices.count > 1, "the phase is random")
    }

    @Test(arguments: [MaskPattern.random, .grid]) func everyPatchIsVisibleEquallyOften(pattern: MaskPattern) {
        let sampler = FramePairSampler { $0.mask.pattern = pattern }
        var seen = [Int](repeating: 0, count: 196)
        for ticket in 0..<10_000 {
            let mask = sampler.draw(ticket).mask
            for index in mask.indices where mask[index] == 0 { seen[index] += 1 }
        }
        // 10,000 * 9 / 196 = 459 each.
        for count in seen { #expect(abs(count - 459) < 110) }
    }

    @Test(arguments: [MaskPattern.random, .grid]) func symmetricMasksAreIndependent(pattern: MaskPattern) throws {
        let sampler = FramePairSampler {
            $0.mask.ratio = 0.75
            $0.mask.pattern = pattern
            $0.mask.frames = .symmetric
        }
        var asymmetric = sampler
        asymmetric.mask.frames = .asymmetric
        var both = 0
        var visiblePast = [Int](repeating: 0, count: 196)
        for ticket in 0..<4000 {
            let draw = sampler.draw(ticket)
            let past = try #require(draw.pastMask)
            #expect(past.filter { $0 == 0 }.count == 49 && draw.mask.filter { $0 == 0 }.count == 49)
            // What the asymmetric sampler draws too is drawn alike.
            let other = asymmetric.draw(ticket)
            #expect(other.pastMask == nil && other.mask == draw.mask && other.views == draw.views)
            for index in past.indices where past[index] == 0 {
                visiblePast[index] += 1
                if draw.mask[index] == 0 { both += 1 }
            }
        }
        // A patch is visible in both frames by chance: 4000 * 196 / 16 = 49,000 times; a lattice of 7 x 7 in 14 x 14 coincides in one of
        // four cases, and then in all its 49 patches.
        #expect(abs(both - 49_000) < (pattern == .random ? 1000 : 6000))
        for count in visiblePast { #expect(abs(count - 1000) < 150) }
    }

    @Test func independentCropsDiffer() {
        let shared = FramePairSampler(), independent = FramePairSampler { $0.sampling.crops = .independent }
        var flips = [0, 0, 0, 0]
        for ticket in 0..<2000 {
            let (one, two) = (shared.draw(ticket), independent.draw(ticket))
            #expect(one.mask == two.mask && one.views[0] == two.views[0])
            #expect(one.views[1].frame == two.views[1].frame && one.views[1].tick == two.views[1].tick)
            #expect(one.views[0].box == one.views[1].box)
            #expect(two.views[0].box != two.views[1].box)
            flips[(two.views[0].isFlipped ? 2 : 0) + (two.views[1].isFlipped ? 1 : 0)] += 1
        }
        for count in flips { #expect(abs(count - 500) < 90) }
    }

    @Test func symmetricSamplesHoldBothMasks() throws {
        let sampler = FramePairSampler {
            $0.sampling.imageSize = 16
            $0.patchSize = 8
            $0.sampling.crops = .independent
            $0.mask.ratio = 0.5
            $0.mask.frames = .symmetric
        }
        let layout = SampleLayout(sampler.arrays)
        #expect(layout.arrays.map(\.name) == ["frames", "mask", "views", "mask1"])
        #expect(SampleLayout(FramePairSampler().arrays).arrays.map(\.name) == ["frames", "mask", "views"])
        let views = [
            View(tick: 1, frame: 2, box: CropBox(x: 5, y: 6, width: 70, height: 80), isFlipped: true),
            View(tick: 11, frame: 22, box: CropBox(x: 0, y: 0, width: 9, height: 9), isFlipped: false),
        ]
        var block = [UInt8](repeating: 0, count: layout.byteCount(path: "a.mp4"))
        block.withUnsafeMutableBytes { bytes in
            layout.write(SampleHeader(fingerprint: 1, sample: 9, ticket: 4, replica: 1, attempt: 0, video: 3, path: "a.mp4"), to: bytes)
            let writer = SampleWriter(layout, bytes)
            writer.write(views.flatMap(\.fields), to: "views")
            writer.write([1, 0, 1, 0] as [UInt8], to: "mask")
            writer.write([0, 0, 1, 1] as [UInt8], to: "mask1")
        }
        try block.withUnsafeBytes { bytes in
            let sample = try SampleBlock(bytes)
            let other = FramePairSampler {
                $0.sampling.imageSize = 16
                $0.patchSize = 8
            }
            #expect(sample.matches(layout) && !sample.matches(SampleLayout(other.arrays)))
            #expect(sample.bytes("mask").map(Array.init) == [1, 0, 1, 0] && sample.bytes("mask1").map(Array.init) == [0, 0, 1, 1])
            #expect(
                SampleLog.line(step: 3, slot: 1, sample: sample, pixelHash: "00ff")
                    == "3\t1\t9\t4\t1\t0\ta.mp4\t1,11\t2,22\t70x80+5+6,9x9+0+0\t1,0\t3,a\t00ff")
        }
    }
}
