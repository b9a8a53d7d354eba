import Autograd
import Compute
import Configuration
import Models
import Pictures
import Sampling
import WeightFiles

/// A way of training, where the two halves meet: samples of the recipe's sampler go in, a loss and gradients come out.
///
/// A recipe is one file. Trainer, checkpoints, forecasts, benchmarks and pictures know it by this protocol alone.
public protocol Recipe: AnyObject {
    /// What remains after the pretraining, and what evaluators get.
    var encoder: VisionTransformer { get }
    /// All that the optimizer moves.
    var parameters: ParameterStore { get }
    /// Arrays that are not learned but belong to a checkpoint for other tools, such as position tables.
    var constants: [Safetensors.Array] { get }
    /// Floating-point operations of one training step with one sample: of the matrix products of its forward and backward pass.
    var operationsPerSample: Double { get }

    /// Adds the samples' mean loss, times `share`, to `loss`, one number on the device, and its gradients to the parameters' gradients.
    ///
    /// A batch that is too big for the memory goes through in parts: with each part's share of the batch's samples loss and gradients add up
    /// to those of the whole.
    ///
    /// - Parameters:
    ///   - samples: of the recipe's sampler, their arrays as it declares them.
    ///   - recomputes: whether blocks are computed again in the backward pass, a third more work for much less memory.
    func accumulateGradients(
        _ samples: [SampleBlock], share: Float, recomputes: Bool, addingTo loss: DeviceArray<Double>, arena: Arena)
    /// Asks `arena`, which is on a `PlanningBackend`, for what `accumulateGradients` of so many samples would ask for.
    func planStep(samples: Int, recomputes: Bool, arena: Arena)
    /// A picture for people of what the model makes of some samples.
    func picture(of samples: [SampleBlock], arena: Arena) -> RGBImage
}

extension Pipeline {
    /// The recipe of a checked pipeline, with first values that its seed alone decides.
    public func makeRecipe(on backend: any Backend) -> any Recipe { SiamMAERecipe(self, backend: backend) }

    /// Numbers that the recipe's model learns.
    public var parameterCount: Int { modelConfiguration.encoderParameterCount + modelConfiguration.decoderParameterCount }
}
