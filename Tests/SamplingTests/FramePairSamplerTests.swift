import Base
import Foundation
import Sampling
import Testing

@Suite struct FramePairSamplerTests {
    /// `int(n * (1 - ratio))` as Python computes it.
    @Test(arguments: [
        (224, 16, 0.95, 9), (224, 8, 0.95, 39), (224, 16, 0.75, 49), (224, 16, 0.9, 19), (224, 16, 0.5, 98), (64, 8, 0.95, 3),
        (160, 16, 0.9, 9), (224, 16, 0, 196),
    ])
    func visiblePatches(imageSize: Int, patchSize: Int, ratio: Double, expected: Int) {
        #expect(
            FramePairSampler {
                $0.sampling.imageSize = imageSize
                $0.patchSize = patchSize
                $0.mask.ratio = ratio
            }.visiblePatchCount == expected)
    }

    @Test func masksHideWhatTheyShouldAndAreFair() {
        let sampler = FramePairSampler()
        let record = videoRecord(times: (0..<100).map { $0 }, timeBase: Rational(1, 30))
        var seen = [Int](repeating: 0, count: 196)
        for ticket in 0..<10_000 {
            let mask = sampler.geometry(Draw(seed: 1, ticket: ticket, record: record)).mask
            #expect(mask.count == 196 && mask.filter { $0 == 0 }.count == 9 && mask.filter { $0 == 1 }.count == 187)
            for index in mask.indices where mask[index] == 0 { seen[index] += 1 }
        }
        // 10,000 * 9 / 196 = 459 each.
        for count in seen { #expect(abs(count - 459) < 110) }
    }

    @Test func aDrawIsAPureFunctionOfItsName() {
        let sampler = FramePairSampler()
        let record = videoRecord(times: (0..<300).map { $0 }, timeBase: Rational(1, 30))
        let draw = sampler.geometry(Draw(seed: 1, ticket: 2, replica: 1, attempt: 0, record: record))
        let again = sampler.geometry(Draw(seed: 1, ticket: 2, replica: 1, attempt: 0, record: record))
        #expect(draw.views == again.views && draw.mask == again.mask)
        for (seed, ticket, replica, attempt) in [(2, 2, 1, 0), (1, 3, 1, 0), (1, 2, 0, 0), (1, 2, 1, 1)] as [(UInt64, Int, Int, Int)] {
            let other = sampler.geometry(Draw(seed: seed, ticket: ticket, replica: replica, attempt: attempt, record: record))
            #expect(other.views != draw.views && other.mask != draw.mask)
        }
        #expect(draw.views[0].box == draw.views[1].box && draw.views[0].isFlipped == draw.views[1].isFlipped)
    }

    @Test func halfOfTheSamplesAreMirrored() {
        let record = videoRecord(times: (0..<100).map { $0 }, timeBase: Rational(1, 30))
        let flips = (0..<4000).filter {
            FramePairSampler { $0.sampling.imageSize = 32 }.geometry(Draw(seed: 1, ticket: $0, record: record))
                .views[0].isFlipped
        }
        #expect(abs(flips.count - 2000) < 150)
        let never = FramePairSampler {
            $0.sampling.imageSize = 32
            $0.sampling.flip = 0
        }
        #expect(
            (0..<50).allSatisfy { !never.geometry(Draw(seed: 1, ticket: $0, record: record)).views[0].isFlipped })
    }
}

@Suite struct CropTests {
    private func crop(_ ticket: Int, _ width: Int, _ height: Int, area: ClosedRange<Double> = 0.5...1) -> CropBox {
        var stream = RandomStream(seed: 1, purpose: .crop, ticket: ticket)
        return .randomResized(width: width, height: height, area: area, aspect: 3.0 / 4...4.0 / 3, from: &stream)
    }

    @Test func cropsKeepAreaAndAspect() {
        var areas: [Double] = []
        var logAspects: [Double] = []
        for ticket in 0..<20_000 {
            let box = crop(ticket, 320, 320)
            #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 320 && box.y + box.height <= 320)
            let (area, aspect) = (Double(box.width * box.height) / Double(320 * 320), Double(box.width) / Double(box.height))
            #expect(area > 0.49 && area <= 1 && aspect > 0.74 && aspect < 1.35)
            areas.append(area)
            logAspects.append(log(aspect))
        }
        // A try that does not fit is drawn again, so large areas are rarer than small ones; aspects stay symmetric in their logarithm.
        let mean = areas.reduce(0, +) / 20_000
        #expect(mean > 0.65 && mean < 0.75)
        #expect(abs(logAspects.reduce(0, +) / 20_000) < 0.01)
    }

    /// Where no try can fit: by torchvision's rule, the largest part of allowed aspect, its sides rounded, its corner at half the rest,
    /// rounded down.
    @Test(arguments: [
        (400, 100, CropBox(x: 133, y: 0, width: 133, height: 100)), (100, 400, CropBox(x: 0, y: 133, width: 100, height: 133)),
        (30, 6, CropBox(x: 11, y: 0, width: 8, height: 6)),
    ])
    func theCentralCropIsTheLastResort(width: Int, height: Int, expected: CropBox) {
        #expect(crop(0, width, height, area: 1...1) == expected)
    }

    @Test func tinyPicturesHaveCrops() {
        for ticket in 0..<100 {
            let box = crop(ticket, 1, 1)
            #expect(box == CropBox(x: 0, y: 0, width: 1, height: 1))
        }
    }
}
