import Compute
import Models
import Sampling
import Training

/// VideoMAE whose visible patches follow what moves: a map of what is seen is drawn for the middle frame and carried along by optical flow, so
/// that the patches of an object are seen, or hidden, throughout.
///
/// Huang, Zhao, Zhang, Jiang, Jiang, Qiao and Wang, "MGMAE: Motion Guided Masking for Video Masked Autoencoding", ICCV 2023, arXiv 2308.10794;
/// MCG-NJU/MGMAE run_mgmae_pretraining.py and engine_for_mgmae.py, whose parameter names and numbers these are.
public typealias MGMAE = MaskedClips<MGMAESettings>

/// What a pipeline says of MGMAE.
public struct MGMAESettings: ClipSettings {
    public static let name = "mgmae"

    /// How clips are taken from a video: all of a visit show the same frames.
    public var sampling: ClipSampler.Sampling
    /// Which patches are hidden.
    public var mask = ClipSampler.Mask()
    public var model = VideoMAE.Settings.Model()

    public init() {
        sampling = ClipSampler.Sampling()
        sampling.repeatedSampling = 4
    }

    /// Those of ViT-B on Kinetics-400: 200 epochs with 20 of warm-up of 384 videos a step, four clips of each, at a rate of 1e-3 for 256
    /// videos, 1e-5 at the end. Clips are what is counted here.
    public static var training: TrainingSettings {
        var training = TrainingSettings()
        (training.epochs, training.warmupEpochs, training.batch, training.baseLearningRate) = (800, 80, 1536, 2.5e-4)
        training.minimumLearningRate = 2.5e-6
        return training
    }

    public static let endsWarmUpAtPeak = true

    public var sampler: any Sampler {
        ClipSampler {
            ($0.sampling, $0.mask, $0.patchSize, $0.tubelet) = (sampling, mask, patchSize, model.tubelet)
            ($0.sharesFrames, $0.followsMotion) = (true, true)
        }
    }

    public static func fixtureInputs(_ sizes: FixtureSizes) -> [String: [String]] {
        // The released code carries the map to the frames before the middle along the flow of the wrong direction.
        ["frames": ["input.clip"], "mask": [sizes.flag("released_direction") ? "out.released.mask" : "out.mask"]]
    }

    public init(fixture sizes: FixtureSizes) {
        self.init()
        takeModel(of: sizes)
        mask.ratio = sizes.ratio
    }

    public func makeRecipe(precision: ModelPrecision, backend: any Backend) -> any Recipe {
        MaskedClips(self, precision: precision, backend: backend)
    }
}
