import Synthesis
import Testing

/// What makes the data set worth learning on: neither colour nor standing still solves it.
@Suite("Difficulty") struct DifficultyTests {
    private static let scenes = (0..<12).map { Scene(.validation, seed: 21, index: $0) }

    @Test("Even the true mean colours of a frame's objects and background do not segment it")
    func colourDoesNotSolveIt() {
        var scores: [Double] = []
        for scene in Self.scenes {
            let frame = render(scene, frame: 0)
            let means = (0...scene.objectCount).map { id in meanColour(of: frame, where: UInt8(id)) }
            let guess = frame.mask.indices.map { at in
                UInt8(means.indices.min { squaredDistance(frame, at, means[$0]) < squaredDistance(frame, at, means[$1]) }!)
            }
            scores += (1...scene.objectCount).map { overlap(guess, frame.mask, id: UInt8($0)) }
        }
        #expect(mean(scores) < 0.3)
    }

    @Test("Objects leave their first mask, and are not lost altogether")
    func objectsMove() {
        var first: [Double] = []
        var last: [Double] = []
        for scene in Self.scenes {
            let (start, early, late) = (render(scene, frame: 0), render(scene, frame: 3), render(scene, frame: scene.frameCount - 1))
            for id in 1...UInt8(scene.objectCount) {
                first.append(overlap(start.mask, early.mask, id: id))
                last.append(overlap(start.mask, late.mask, id: id))
            }
        }
        #expect(mean(first) > 0.6)
        #expect(mean(last) < 0.25)
    }

    private func meanColour(of frame: DrawnFrame, where id: UInt8) -> SIMD3<Double> {
        var (sum, count) = (SIMD3<Double>.zero, 0.0)
        for at in frame.mask.indices where frame.mask[at] == id {
            sum += colour(frame, at)
            count += 1
        }
        return sum / max(count, 1)
    }

    private func colour(_ frame: DrawnFrame, _ at: Int) -> SIMD3<Double> {
        SIMD3(Double(frame.pixels[3 * at]), Double(frame.pixels[3 * at + 1]), Double(frame.pixels[3 * at + 2]))
    }

    private func squaredDistance(_ frame: DrawnFrame, _ at: Int, _ mean: SIMD3<Double>) -> Double {
        let difference = colour(frame, at) - mean
        return (difference * difference).sum()
    }

    /// Intersection over union of one id.
    private func overlap(_ a: [UInt8], _ b: [UInt8], id: UInt8) -> Double {
        let both = zip(a, b).count { $0 == id && $1 == id }
        let either = zip(a, b).count { $0 == id || $1 == id }
        return either == 0 ? 1 : Double(both) / Double(either)
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}
