import Autograd
import Compute
import Models
import Recipes
import Sampling
import TestBackends

/// A recipe of small sizes, for what must hold of all.
struct RecipeCase: Sendable, CustomStringConvertible {
    let recipe: AnyRecipe
    let description: String

    /// Every variant of SiamMAE, and MAE: 9 patches, of which 2 are visible where not all are. VideoMAE: two steps of 9 patches of two
    /// frames, of each of which 2 are visible. MAE-ST: three such steps, of all of which 5 are visible, and every other frame predicted.
    /// V2: four steps of 16, of each of which 4 are visible and 8 decoded. MGMAE: two steps of 9, of each of which 2 are visible.
    static let all = siamMAE + [mae, maeST, videoMAE, videoMAEV2, mgmae]
    /// One of each recipe that predicts pixels.
    static let one = [siamMAE(), mae, maeST, videoMAE, videoMAEV2, mgmae]

    static let siamMAE = SiamMAE.EncoderKind.allCases.flatMap { encoder in
        SiamMAE.DecoderKind.allCases.flatMap { decoder in
            MaskedFrames.allCases.map { siamMAE(encoder, decoder, $0) }
        }
    }

    static func siamMAE(
        _ encoder: SiamMAE.EncoderKind = .siamese, _ decoder: SiamMAE.DecoderKind = .crossSelf, _ frames: MaskedFrames = .asymmetric,
        pasts: Int = 1, futures: Int = 1
    ) -> RecipeCase {
        var settings = SiamMAE.Settings()
        (settings.sampling.imageSize, settings.mask.ratio, settings.mask.frames) = (24, 0.75, frames)
        (settings.model.size, settings.model.decoderSize) = sizes
        (settings.model.encoder, settings.model.decoder) = (encoder, decoder)
        (settings.sampling.pasts, settings.sampling.futures) = (pasts, futures)
        let counts = (pasts > 1 ? ", \(pasts) pasts" : "") + (futures > 1 ? ", \(futures) futures" : "")
        return RecipeCase(
            recipe: AnyRecipe(settings),
            description: "SiamMAE, \(encoder.rawValue) encoder, \(decoder.rawValue) decoder, \(frames.rawValue) masks" + counts)
    }

    /// SiamMAE with several futures, or pasts.
    static let severalFrames = [
        siamMAE(futures: 3), siamMAE(.siamese, .joint, .symmetric, futures: 2), siamMAE(pasts: 2), siamMAE(.siamese, .cross, pasts: 3),
        siamMAE(.siamese, .joint, pasts: 2),
    ]

    static var mae: RecipeCase {
        var settings = MAE.Settings()
        (settings.sampling.imageSize, settings.mask.ratio) = (24, 0.75)
        (settings.model.size, settings.model.decoderSize) = sizes
        return RecipeCase(recipe: AnyRecipe(settings), description: "MAE")
    }

    static var maeST: RecipeCase {
        var settings = MAEST.Settings()
        (settings.sampling.imageSize, settings.sampling.frames, settings.mask.ratio) = (24, 6, 0.8)
        settings.model.size = .free(ClipEncoderSize(patch: 8, width: 16, depth: 2, heads: 2))
        settings.model.decoderSize = .free(ClipDecoderSize(width: 12, depth: 1, heads: 3))
        settings.model.predictedFrames = 3
        return RecipeCase(recipe: AnyRecipe(settings), description: "MAE-ST")
    }

    static var videoMAE: RecipeCase {
        var settings = VideoMAE.Settings()
        (settings.sampling.imageSize, settings.sampling.frames, settings.mask.ratio) = (24, 4, 0.8)
        settings.model.size = .free(ClipEncoderSize(patch: 8, width: 16, depth: 2, heads: 2))
        settings.model.decoderSize = .free(ClipDecoderSize(width: 12, depth: 1, heads: 3))
        return RecipeCase(recipe: AnyRecipe(settings), description: "VideoMAE")
    }

    static var videoMAEV2: RecipeCase {
        var settings = VideoMAEV2.Settings()
        (settings.sampling.imageSize, settings.sampling.frames, settings.mask.ratio) = (32, 8, 0.8)
        settings.model.size = .free(ClipEncoderSize(patch: 8, width: 16, depth: 2, heads: 2))
        settings.model.decoderSize = .free(ClipDecoderSize(width: 12, depth: 1, heads: 3))
        return RecipeCase(recipe: AnyRecipe(settings), description: "VideoMAE V2")
    }

    static var mgmae: RecipeCase {
        var settings = MGMAE.Settings()
        (settings.sampling.imageSize, settings.sampling.frames, settings.mask.ratio) = (24, 4, 0.75)
        settings.model.size = .free(ClipEncoderSize(patch: 8, width: 16, depth: 2, heads: 2))
        settings.model.decoderSize = .free(ClipDecoderSize(width: 12, depth: 1, heads: 3))
        return RecipeCase(recipe: AnyRecipe(settings), description: "MGMAE")
    }

    /// Those that learn from views: 9 patches of a global crop or a view, of which up to 4 or just 5 are hidden, and 4 of a local crop.
    static let views = [ibot, siameseIM]

    static var ibot: RecipeCase {
        var settings = IBOT.Settings()
        (settings.sampling.imageSize, settings.sampling.localSize, settings.sampling.localCrops) = (24, 16, 3)
        (settings.mask.chance, settings.model.size) = (0.8, sizes.0)
        (settings.model.headWidth, settings.model.bottleneck, settings.model.outputs, settings.model.patchOutputs) = (20, 8, 30, 30)
        settings.model.dropPath = 0.3
        return RecipeCase(recipe: AnyRecipe(settings), description: "iBOT")
    }

    static var siameseIM: RecipeCase {
        var settings = SiameseIM.Settings()
        (settings.sampling.imageSize, settings.model.size) = (24, sizes.0)
        (settings.model.decoderSize, settings.model.projectorDepth) = (.free(DecoderSize(width: 12, depth: 2, heads: 3)), 1)
        return RecipeCase(recipe: AnyRecipe(settings), description: "SiameseIM")
    }

    /// Height and width of the pictures.
    var imageSize: Int { recipe.value.encoder.imageSize }

    /// Patches of a sample's masked picture or of its clip.
    var patchCount: Int { recipe.value.sampler.arrays.first { $0.name == "mask" }!.shape[0] }

    /// Frames of a patch.
    var framesPerPatch: Int { recipe.value.encoder.patch.frames }

    private static let sizes: (Named<EncoderSize>, Named<DecoderSize>) = (
        .free(EncoderSize(patch: 8, width: 16, depth: 2, heads: 2)), .free(DecoderSize(width: 12, depth: 1, heads: 3))
    )

    func make(on backend: any Backend, _ precision: ModelPrecision = .f32) -> any Recipe {
        recipe.makeRecipe(seed: 4, precision: precision, backend: backend)
    }

    /// The loss of some random samples, in micro-batches, and the gradients.
    func step(
        _ backend: any Backend, samples count: Int = 6, microBatch: Int = 6, recomputes: Bool = false, precision: ModelPrecision = .f32
    ) -> (loss: Double, gradients: [Float]) {
        let (recipe, arena, sum) = (make(on: backend, precision), Arena(backend: backend), backend.array(of: Double.self, count: 1))
        RandomSamples(of: self.recipe.value.sampler, count: count).withBlocks { samples in
            for first in stride(from: 0, to: count, by: microBatch) {
                let part = Array(samples[first..<min(count, first + microBatch)])
                recipe.accumulateGradients(
                    part, share: Float(part.count) / Float(count), recomputes: recomputes, addingTo: sum, arena: arena)
            }
        }
        return (backend.download(sum)[0], backend.download(recipe.parameters.gradients))
    }
}
