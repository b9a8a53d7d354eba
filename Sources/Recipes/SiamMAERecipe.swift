import Autograd
import Compute
import Configuration
import Models
import Pictures
import Sampling
import WeightFiles

/// SiamMAE: pairs of frames, the future one masked (arXiv 2305.14344).
public final class SiamMAERecipe: Recipe {
    private let model: SiamMAE
    /// Patches that the encoder sees of each past frame, nil for all of them, and of each future frame.
    private let visible: (past: Int?, future: Int)

    init(_ pipeline: Pipeline, backend: any Backend) {
        model = SiamMAE(pipeline.modelConfiguration, seed: pipeline.seed, precision: pipeline.train.precision, backend: backend)
        visible = pipeline.visiblePatches
    }

    public var encoder: VisionTransformer { model.encoder }
    public var parameters: ParameterStore { model.parameters }
    public var constants: [Safetensors.Array] { model.positionTables }

    public var operationsPerSample: Double {
        model.configuration.stepOperations(past: visible.past ?? encoder.configuration.patchCount, future: visible.future)
    }

    public func accumulateGradients(
        _ samples: [SampleBlock], share: Float, recomputes: Bool, addingTo loss: DeviceArray<Double>, arena: Arena
    ) {
        model.accumulateGradients(samples.map(FramePair.init), share: share, recomputes: recomputes, addingTo: loss, arena: arena)
    }

    public func planStep(samples: Int, recomputes: Bool, arena: Arena) {
        model.planStep(pairs: samples, visible: visible, recomputes: recomputes, arena: arena)
    }

    public func picture(of samples: [SampleBlock], arena: Arena) -> RGBImage {
        var sheet = ReconstructionSheet(imageSize: encoder.configuration.imageSize, patchSize: encoder.configuration.patchSize)
        sheet.append(samples.map(FramePair.init), of: model, arena: arena)
        return sheet.image
    }
}

extension FramePair {
    /// A view of a sample of `FramePairSampler`, whose arrays were checked.
    public init(_ sample: SampleBlock) {
        func bytes(_ name: String) -> UnsafePointer<UInt8>? { sample.bytes(name)?.baseAddress!.assumingMemoryBound(to: UInt8.self) }
        self.init(frames: bytes("frames")!, mask: bytes("mask")!, pastMask: bytes("mask1"))
    }
}
