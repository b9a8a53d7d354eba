import Autograd
import Compute
import Models
import TestBackends
import TestSupport
import Testing
import Training

@Suite struct SiamMAETests {
    static let configuration = SiamMAE.Configuration(
        encoder: .init(imageSize: 24, patchSize: 8, width: 16, depth: 2, heads: 2), decoder: .init(width: 12, depth: 1, heads: 3))

    /// A variant of the model and of its masks.
    struct Variant: Sendable, CustomStringConvertible {
        var encoder = SiamMAE.EncoderKind.siamese
        var decoder = SiamMAE.DecoderKind.crossSelf
        var isSymmetric = false

        static let all = SiamMAE.EncoderKind.allCases.flatMap { encoder in
            SiamMAE.DecoderKind.allCases.flatMap { decoder in
                [false, true].map { Variant(encoder: encoder, decoder: decoder, isSymmetric: $0) }
            }
        }

        var configuration: SiamMAE.Configuration {
            var configuration = SiamMAETests.configuration
            configuration.encoderKind = encoder
            configuration.decoderKind = decoder
            return configuration
        }

        var description: String {
            "\(encoder.rawValue) encoder, \(decoder.rawValue) decoder, \(isSymmetric ? "symmetric" : "asymmetric") masks"
        }
    }

    /// Bytes of six pairs; two patches of each future frame are visible, four of each past one where that is masked.
    struct Pairs {
        let frames: [[UInt8]]
        let masks: [[UInt8]]
        let pastMasks: [[UInt8]]?

        init(isSymmetric: Bool = false) {
            frames = (0..<6).map { TestNumbers.normal(2 * 24 * 24 * 3, seed: $0 + 1).map { UInt8(max(0, min(255, 128 + 50 * $0))) } }
            masks = (0..<6).map { pair in (0..<9).map { patch in (patch * 5 + pair) % 9 < 2 ? 0 : 1 } }
            pastMasks = isSymmetric ? (0..<6).map { pair in (0..<9).map { patch in (patch * 2 + pair) % 9 < 4 ? 0 : 1 } } : nil
        }

        func use<Result>(_ range: Range<Int> = 0..<6, _ body: ([FramePair]) throws -> Result) rethrows -> Result {
            func next(_ index: Int, _ pairs: [FramePair]) throws -> Result {
                if index == range.upperBound { return try body(pairs) }
                return try frames[index].withUnsafeBufferPointer { frames in
                    try masks[index].withUnsafeBufferPointer { mask in
                        try (pastMasks?[index] ?? []).withUnsafeBufferPointer { past in
                            let pastMask = pastMasks == nil ? nil : past.baseAddress
                            let pair = FramePair(frames: frames.baseAddress!, mask: mask.baseAddress!, pastMask: pastMask)
                            return try next(index + 1, pairs + [pair])
                        }
                    }
                }
            }
            return try next(range.lowerBound, [])
        }
    }

    private func step(
        _ variant: Variant = Variant(), microBatch: Int, _ backend: TestBackend = .cpu, threads: Int = 2
    ) throws -> (loss: Double, gradients: [Float]) {
        let backend = try backend.open(threads: threads)
        let model = SiamMAE(variant.configuration, seed: 4, backend: backend)
        let (arena, sums) = (Arena(backend: backend), StepSums(of: model.parameters))
        for first in stride(from: 0, to: 6, by: microBatch) {
            let range = first..<min(6, first + microBatch)
            Pairs(isSymmetric: variant.isSymmetric).use(range) {
                model.accumulateGradients($0, share: Float(range.count) / 6, addingTo: sums.loss, arena: arena)
            }
        }
        return (sums.read().loss, backend.download(model.parameters.gradients))
    }

    @Test(arguments: Variant.all, [1, 4]) func microBatchesAddUpToTheBatch(variant: Variant, microBatch: Int) throws {
        let whole = try step(variant, microBatch: 6), parts = try step(variant, microBatch: microBatch)
        #expect(abs(parts.loss / whole.loss - 1) < 1e-6)
        #expect(TestNumbers.relativeError(parts.gradients, whole.gradients.doubles) < 1e-5)
    }

    @Test(arguments: Variant.all, TestBackend.others) func allBackendsComputeTheSame(variant: Variant, backend: TestBackend) throws {
        let own = try step(variant, microBatch: 4), other = try step(variant, microBatch: 4, backend)
        #expect(abs(other.loss / own.loss - 1) < 1e-6)
        #expect(TestNumbers.relativeError(other.gradients, own.gradients.doubles) < 1e-5)
    }

    @Test(arguments: [Variant(), Variant(encoder: .joint, decoder: .joint, isSymmetric: true)])
    func sameBitsInEveryRun(variant: Variant) throws {
        let first = try step(variant, microBatch: 2)
        for threads in [2, 2, 1, 3] {
            let again = try step(variant, microBatch: 2, threads: threads)
            #expect(again.loss == first.loss && again.gradients == first.gradients, "\(threads) threads")
        }
    }

    /// Parameters that not every model has.
    @Test(arguments: Variant.all) func variantsHaveTheirParameters(variant: Variant) throws {
        let names = SiamMAE(variant.configuration, seed: 4, backend: PlanningBackend()).parameters.entries.map(\.name)
        func has(_ part: String) -> Bool { names.contains { $0.contains(part) } }
        #expect(names.contains("frame_embed") == (variant.encoder == .joint))
        #expect(names.contains("decoder_frame_embed") == (variant.decoder == .joint))
        #expect(has("decoder_blocks.0.cross_attn.") == (variant.decoder != .joint))
        #expect(has("decoder_blocks.0.norm_kv.") == (variant.decoder != .joint))
        #expect(has("decoder_blocks.0.attn.") == (variant.decoder != .cross))
        #expect(has("decoder_blocks.0.norm1.") == (variant.decoder != .cross))
        #expect(has("decoder_blocks.0.mlp.fc2."))
    }

    @Test(arguments: TestBackend.devices) func secondBackwardPassAddsToTheFirst(backend: TestBackend) throws {
        let once = try step(microBatch: 6, backend)
        let backend = try backend.open()
        let model = SiamMAE(Self.configuration, seed: 4, backend: backend)
        let (arena, sums) = (Arena(backend: backend), StepSums(of: model.parameters))
        for _ in 0..<2 { Pairs().use { model.accumulateGradients($0, addingTo: sums.loss, arena: arena) } }
        #expect(TestNumbers.relativeError(backend.download(model.parameters.gradients), once.gradients.map { 2 * Double($0) }) < 1e-6)
        #expect(abs(sums.read().loss / (2 * once.loss) - 1) < 1e-6)
        model.parameters.clearGradients()
        let cleared = backend.download(model.parameters.gradients)
        #expect(cleared == [Float](repeating: 0, count: cleared.count))
    }

    @Test(arguments: TestBackend.devices) func bytesAndMasksReachTheModel(backend: TestBackend) throws {
        let fromBytes = try step(microBatch: 6, backend).loss
        let backend = try backend.open()
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
        let sums = StepSums(of: model.parameters)
        let prediction = model.loss(
            addingTo: sums.loss, frames, visible: VisiblePatches(future: visible), on: Tape(arena: arena, isRecording: false))
        let expected = model.patches(of: prediction, pairs: 6, arena: arena)

        #expect(abs(fromBytes / sums.read().loss - 1) < 1e-5)
        let reconstruction = pairs.use { model.reconstruct($0, arena: arena) }
        #expect(TestNumbers.relativeError(reconstruction, expected.doubles) < 1e-5)
    }

    /// The hidden patches' content reaches only the target, never the prediction.
    @Test(arguments: Variant.all, TestBackend.devices) func hiddenPatchesAreHidden(variant: Variant, backend: TestBackend) throws {
        let backend = try backend.open()
        let model = SiamMAE(variant.configuration, seed: 4, backend: backend)
        let arena = Arena(backend: backend)
        let visible = VisiblePatches(future: [[4]], past: variant.isSymmetric ? [[8, 4]] : nil)
        func prediction(_ change: (inout [Float]) -> Void) -> [Float] {
            var numbers = TestNumbers.normal(2 * 3 * 24 * 24, seed: 7)
            change(&numbers)
            let frames = arena.tensor([2, 3, 24, 24])
            backend.upload(frames, from: numbers)
            let sum = backend.array(of: Double.self, count: 1)
            let output = model.loss(addingTo: sum, frames, visible: visible, on: Tape(arena: arena, isRecording: false))
            let patches = model.patches(of: output, pairs: 1, arena: arena)
            // Without self-attention the visible patch speaks for itself alone, unless the encoder has shown it to the past frame.
            return variant.decoder == .cross && variant.encoder == .siamese ? patches : Array(patches[..<(4 * 192)])
        }
        let (past, future) = (0, 3 * 24 * 24)
        let unchanged = prediction { _ in }
        #expect(prediction { $0[future] += 1 } == unchanged, "a pixel of a hidden patch of the future frame")
        #expect(prediction { $0[future + 12 * 24 + 12] += 1 } != unchanged, "a pixel of the visible patch of the future frame")
        #expect((prediction { $0[past] += 1 } == unchanged) == variant.isSymmetric, "a pixel of the past frame's first patch")
        #expect(prediction { $0[past + 12 * 24 + 12] += 1 } != unchanged, "a pixel of a visible patch of the past frame")
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
