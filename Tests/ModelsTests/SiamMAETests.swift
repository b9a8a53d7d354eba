import Autograd
import Compute
import ComputeCPU
import Models
import TestSupport
import Testing

@Suite struct SiamMAETests {
    static let configuration = SiamMAE.Configuration(
        encoder: .init(imageSize: 24, patchSize: 8, width: 16, depth: 2, heads: 2), decoder: .init(width: 12, depth: 1, heads: 3))

    /// Bytes of six pairs; two patches of each are visible.
    struct Pairs {
        let frames: [[UInt8]]
        let masks: [[UInt8]]

        init() {
            frames = (0..<6).map { TestNumbers.normal(2 * 24 * 24 * 3, seed: $0 + 1).map { UInt8(max(0, min(255, 128 + 50 * $0))) } }
            masks = (0..<6).map { pair in (0..<9).map { patch in (patch * 5 + pair) % 9 < 2 ? 0 : 1 } }
        }

        func use<Result>(_ range: Range<Int> = 0..<6, _ body: ([FramePair]) throws -> Result) rethrows -> Result {
            func next(_ index: Int, _ pairs: [FramePair]) throws -> Result {
                if index == range.upperBound { return try body(pairs) }
                return try frames[index].withUnsafeBufferPointer { frames in
                    try masks[index].withUnsafeBufferPointer { mask in
                        try next(index + 1, pairs + [FramePair(frames: frames.baseAddress!, mask: mask.baseAddress!)])
                    }
                }
            }
            return try next(range.lowerBound, [])
        }
    }

    private func step(microBatch: Int, threads: Int = 2) throws -> (loss: Double, gradients: [Float]) {
        let backend = try CPUBackend(threads: threads)
        let model = SiamMAE(Self.configuration, seed: 4, backend: backend)
        let arena = Arena(backend: backend)
        var loss = 0.0
        for first in stride(from: 0, to: 6, by: microBatch) {
            let range = first..<min(6, first + microBatch)
            let share = Double(range.count) / 6
            loss += share * Pairs().use(range) { model.accumulateGradients($0, share: Float(share), arena: arena) }
        }
        return (loss, Array(UnsafeBufferPointer(start: model.parameters.gradients, count: model.parameters.count)))
    }

    @Test(arguments: [1, 2, 4]) func microBatchesAddUpToTheBatch(microBatch: Int) throws {
        let whole = try step(microBatch: 6), parts = try step(microBatch: microBatch)
        #expect(abs(parts.loss / whole.loss - 1) < 1e-6)
        #expect(TestNumbers.relativeError(parts.gradients, whole.gradients.doubles) < 1e-5)
    }

    @Test func sameBitsInEveryRun() throws {
        let first = try step(microBatch: 2)
        for threads in [2, 2, 1, 3] {
            let again = try step(microBatch: 2, threads: threads)
            #expect(again.loss == first.loss && again.gradients == first.gradients, "\(threads) threads")
        }
    }

    @Test func secondBackwardPassAddsToTheFirst() throws {
        let backend = try CPUBackend(threads: 2)
        let model = SiamMAE(Self.configuration, seed: 4, backend: backend)
        let arena = Arena(backend: backend)
        let once = try step(microBatch: 6).gradients
        for _ in 0..<2 { _ = Pairs().use { model.accumulateGradients($0, arena: arena) } }
        let twice = Array(UnsafeBufferPointer(start: model.parameters.gradients, count: model.parameters.count))
        #expect(TestNumbers.relativeError(twice, once.map { 2 * Double($0) }) < 1e-6)
        model.parameters.clearGradients()
        let cleared = UnsafeBufferPointer(start: model.parameters.gradients, count: model.parameters.count)
        #expect(Array(cleared) == [Float](repeating: 0, count: cleared.count))
    }

    @Test func bytesAndMasksReachTheModel() throws {
        let backend = try CPUBackend(threads: 2)
        let model = SiamMAE(Self.configuration, seed: 4, backend: backend)
        let arena = Arena(backend: backend)
        let pairs = Pairs()
        // The same frames, normalised here by ImageNet's statistics, and the visible patches in descending order.
        let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        var numbers: [Float] = []
        for frame in 0..<2 {
            for pair in 0..<6 {
                for channel in 0..<3 {
                    for pixel in 0..<576 {
                        let level = Double(pairs.frames[pair][(frame * 576 + pixel) * 3 + channel]) / 255
                        numbers.append(Float((level - mean[channel]) / deviation[channel]))
                    }
                }
            }
        }
        let frames = arena.tensor([12, 3, 24, 24])
        backend.upload(frames, from: numbers)
        let visible = (0..<6).map { pair in (0..<9).reversed().filter { pairs.masks[pair][$0] == 0 }.map { Int32($0) } }
        let (loss, prediction) = model.loss(frames, visible: visible, on: Tape(arena: arena, isRecording: false))
        let expected = model.patches(of: prediction, pairs: 6, arena: arena)

        #expect(abs(try step(microBatch: 6).loss / loss - 1) < 1e-5)
        let reconstruction = pairs.use { model.reconstruct($0, arena: arena) }
        #expect(TestNumbers.relativeError(reconstruction, expected.doubles) < 1e-5)
    }

    /// The hidden patches' content reaches only the target, never the prediction.
    @Test func hiddenPatchesAreHidden() throws {
        let backend = try CPUBackend(threads: 2)
        let model = SiamMAE(Self.configuration, seed: 4, backend: backend)
        let arena = Arena(backend: backend)
        func prediction(_ change: (inout [Float]) -> Void) -> [Float] {
            var numbers = TestNumbers.normal(2 * 3 * 24 * 24, seed: 7)
            change(&numbers)
            let frames = arena.tensor([2, 3, 24, 24])
            backend.upload(frames, from: numbers)
            let output = model.loss(frames, visible: [[4]], on: Tape(arena: arena, isRecording: false)).prediction
            return model.patches(of: output, pairs: 1, arena: arena)
        }
        let (past, future) = (0, 3 * 24 * 24)
        let unchanged = prediction { _ in }
        #expect(prediction { $0[future] += 1 } == unchanged, "a pixel of a hidden patch of the future frame")
        #expect(prediction { $0[future + 12 * 24 + 12] += 1 } != unchanged, "a pixel of the visible patch of the future frame")
        #expect(prediction { $0[past] += 1 } != unchanged, "a pixel of the past frame")
    }

    @Test func impossibleSizesAreRefusedWithASentence() {
        func problem(_ change: (inout SiamMAE.Configuration) -> Void) -> String? {
            var configuration = Self.configuration
            change(&configuration)
            return configuration.problem
        }
        #expect(problem { _ in } == nil)
        #expect(problem { $0.encoder.patchSize = 7 } == "encoder: an image of 24 pixels cannot be cut into patches of 7")
        #expect(problem { $0.encoder.heads = 5 } == "encoder: 5 heads do not divide a width of 16")
        #expect(problem { $0.decoder.width = 6 } == "decoder: a width of 6 is not a multiple of 4, which the position embedding needs")
        #expect(problem { $0.decoder.depth = 0 } == "decoder: a depth of 0 leaves no block")
    }
}
