import Configuration
import Foundation
import Models
import Recipes
import Sampling
import Testing

extension Pipeline {
    /// The settings of a pipeline that trains SiamMAE.
    fileprivate var siamMAE: SiamMAE.Settings { recipe.value as! SiamMAE.Settings }
}

@Suite struct PipelineTests {
    @Test func defaultsAreThePapersRecipe() throws {
        let pipeline = try Pipeline.parse("{}", source: "empty")
        #expect(pipeline == Pipeline())
        #expect(pipeline.siamMAE.sampling.frameGap == [4, 48])
        #expect(pipeline.siamMAE.mask.ratio == 0.95)
        #expect(pipeline.train.batch == 2048)
        #expect(pipeline.siamMAE.encoder.patchSize == 16)
    }

    /// The file that explains the keys has all of them, with the values that a pipeline has that names none.
    @Test func theFileOfKeysIsWhole() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.path + "/Pipelines/keys.json5"
        #expect(try Pipeline.load(path) == Pipeline())
        for name in AnyRecipe.names {
            let isDefault = name == AnyRecipe().name
            #expect(
                try Pipeline.load("\(root.path)/Pipelines/\(isDefault ? "demo" : "demo-\(name)").json5", overrides: []).recipe.name == name)
            guard !isDefault else { continue }
            let published = try Pipeline.load("\(root.path)/Pipelines/\(name).json5", overrides: ["data.media="])
            #expect(published == Pipeline(try #require(AnyRecipe(named: name))))
        }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        func keys(_ value: Any) -> [String] { (value as? [String: Any] ?? [:]).flatMap { [$0.key] + keys($0.value) } }
        let all = keys(try JSONSerialization.jsonObject(with: Data(Pipeline().text.utf8)))
        #expect(all.count > 45)
        for key in all { #expect(text.contains(" \(key): "), "\(key)") }
    }

    /// The eight systems are compared as their demos train them, but for the length; and scored alike. SiamMAE's demo has half the samples in a
    /// step, at the same rate.
    @Test func theEightAreTheirDemos() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let ofDemo = ["train.batch=16", "train.microBatch=16", "train.baseLearningRate=1.6e-2", "train.checkpointEvery=1300"]
        for name in AnyRecipe.names {
            let (demo, overrides) = name == AnyRecipe().name ? ("demo", ofDemo) : ("demo-\(name)", [])
            var (eight, other) = (
                try Pipeline.load("\(root.path)/Pipelines/eight/\(name).json5", overrides: overrides),
                try Pipeline.load("\(root.path)/Pipelines/\(demo).json5")
            )
            #expect(eight.name == "eight-\(name)" && eight.data.media == "runs/eight/data/quick")
            #expect(eight.evaluation.vip == "runs/eight/data/vip" && eight.evaluation.size == [128, 168])
            (eight.name, eight.data, eight.evaluation, eight.train.steps) = (other.name, other.data, other.evaluation, other.train.steps)
            #expect(eight == other, "\(name)")
            other.seed = 1
            #expect(eight != other)
        }
    }

    @Test func readsJSON5() throws {
        let text = """
            // a comment
            {
              name: 'trial', /* block
              comment */ "seed": +7,
              sampling: { imageSize: 64, frameGap: [4, 8,], },
              model: { size: { patch: 8, width: 96, depth: 4, heads: 3 }, decoderSize: "small" },
              mask: { ratio: .5 },
            }
            """
        let pipeline = try Pipeline.parse(text, source: "trial.json5")
        #expect(pipeline.name == "trial")
        #expect(pipeline.seed == 7)
        #expect(pipeline.siamMAE.sampling.frameGap == [4, 8])
        #expect(pipeline.siamMAE.model.size == .free(EncoderSize(patch: 8, width: 96, depth: 4, heads: 3)))
        #expect(pipeline.siamMAE.mask.ratio == 0.5)
        #expect(pipeline.train == Pipeline().train)
    }

    @Test func effectivePipelineReadsBackAsItself() throws {
        var pipeline = Pipeline()
        pipeline.name = "a \"quoted\" \\ name"
        var settings = pipeline.siamMAE
        settings.model.decoderSize = .free(DecoderSize(width: 64, depth: 2, heads: 4))
        pipeline.recipe = AnyRecipe(settings)
        #expect(try Pipeline.parse(pipeline.text, source: "effective") == pipeline)
    }

    @Test func overridesWin() throws {
        let pipeline = try Pipeline.parse(
            "{ train: { steps: 5 }, mask: { ratio: 0.9 } }", source: "x",
            overrides: ["train.steps=100", "name=short", "model.size={patch: 4, width: 8, depth: 1, heads: 2}", "sampling.imageSize=32"])
        #expect(pipeline.train.steps == 100)
        #expect(pipeline.name == "short")
        #expect(pipeline.siamMAE.mask.ratio == 0.9)
        #expect(pipeline.siamMAE.encoder.patchSize == 4)
    }

    @Test func wordsChooseTheVariants() throws {
        let pipeline = try Pipeline.parse(
            "{ mask: { ratio: 0.75, pattern: 'grid', frames: 'symmetric' }, sampling: { crops: 'independent' } }", source: "x",
            overrides: ["model.encoder=joint", "model.decoder=cross"])
        #expect(pipeline.siamMAE.model.encoder == .joint && pipeline.siamMAE.model.decoder == .cross)
        let pairs = pipeline.siamMAE
        #expect(pairs.mask.pattern == .grid && pairs.mask.frames == .symmetric && pairs.sampling.crops == .independent)
        #expect((pairs.sampler as? FramePairSampler)?.mask == pairs.mask)
        #expect(try Pipeline.parse(pipeline.text, source: "effective") == pipeline)
        for word in ["cross-self", "cross", "joint"] {
            let pipeline = try Pipeline.parse("{}", source: "x", overrides: ["model.decoder=\(word)"])
            #expect(pipeline.siamMAE.model.decoder.rawValue == word)
        }
        // A pipeline of before there were words means their defaults.
        #expect(AnySampler(Pipeline().recipe.value.sampler) == AnySampler(FramePairSampler()))
    }

    /// Another recipe has other groups, keys and numbers, and the same training, dataflow and evaluation.
    @Test func theRecipeDecidesWhichKeysThereAre() throws {
        let pipeline = try Pipeline.parse("{ recipe: 'mae', model: { size: 's16' } }", source: "x", overrides: ["mask.ratio=.5"])
        let settings = try #require(pipeline.recipe.value as? MAE.Settings)
        #expect(pipeline.name == "mae" && settings.mask.ratio == 0.5 && settings.model.size == .preset("s16"))
        #expect(pipeline.train == MAE.Settings.training && pipeline.train.batch == 4096)
        #expect(settings.sampler.arrays.first { $0.name == "frames" }?.shape == [1, 224, 224, 3])
        #expect(try Pipeline.parse(pipeline.text, source: "effective") == pipeline)
        // What is said on the command line wins over the file, and of two the last.
        let overrides = ["recipe=siammae", "recipe=mae"]
        #expect(try Pipeline.parse("{ recipe: 'siammae' }", source: "x", overrides: overrides).recipe.name == "mae")
        #expect(try Pipeline.parse("{ recipe: 'siammae' }", source: "x") == Pipeline())
        #expect(Pipeline() != Pipeline(AnyRecipe(named: "mae")!))
    }

    @Test(arguments: [
        (
            "{\n recipe: 'map' }",
            "p, line 2: 'recipe' is \"map\", which there is not: one of siammae, mae, mae-st, videomae, videomae-v2, mgmae, ibot, siamese-im"
        ),
        ("{ recipe: 3 }", "p, line 1: 'recipe' wants a text in quotes"),
        ("{ recipe: {} }", "'recipe' wants a text in quotes"),
        ("{ recipe: 'mae', sampling: { frameGap: [1, 2] } }", "there is no key 'frameGap' in 'sampling'"),
        ("{ recipe: 'mae', model: { size: 'x32' } }", "'model.size' is not known: one of b16, h14, l16, s16, s8, ti16"),
        ("{ recipe: 'mae', mask: { ratio: 1 } }", "'mask.ratio' is 1.0: from 0 to below 1; at 1 the encoder sees nothing of the picture"),
        ("{ recipe: 'mae', mask: { ratio: 0.999 } }", "leaves no visible patch of 196"),
        ("{ recipe: 'mae', sampling: { repeatedSampling: 0 } }", "take 1 or more pictures a video"),
        ("{ recipe: 'mae', sampling: { imageSize: 1.5 } }", "'sampling.imageSize' wants a whole number, not 1.5"),
        (
            "{ recipe: 'mae', model: { size: { patch: 8, width: 96, depth: 4, heads: 1.5 } } }",
            "'model.size.heads' wants a whole number, not 1.5"
        ),
        (
            "{ recipe: 'videomae', sampling: { frames: 15 } }",
            "'sampling.frames' is 15, which patches of 2 frames (model.tubelet) do not divide"
        ),
        ("{ recipe: 'videomae', model: { tubelet: 0 } }", "'model.tubelet' is 0, a patch of no frames"),
        ("{ recipe: 'videomae', sampling: { imageSize: 100 } }", "is 100, which patches of 16 pixels do not divide"),
        ("{ recipe: 'videomae', sampling: { imageSize: 16 } }", "'mask.ratio' is 0.9, which hides none of 1 places"),
        ("{ recipe: 'videomae', mask: { ratio: 1 } }", "at 1 the encoder sees nothing of the clip"),
        ("{ recipe: 'videomae', sampling: { stride: 0 } }", "'sampling.stride' is 0: from 1 to 100000 frames"),
        ("{ recipe: 'videomae', sampling: { cropScales: [0.5, 1] } }", "shares of the frame's shorter side from above 0 to 1, descending"),
        ("{ recipe: 'videomae', sampling: { cropScales: [] } }", "'sampling.cropScales' wants 1 to 16 numbers"),
        ("{ recipe: 'videomae', sampling: { flip: 2 } }", "'sampling.flip' is 2.0, but a chance lies between 0 and 1"),
        (
            "{ recipe: 'mgmae', sampling: { imageSize: 6 }, mask: { ratio: 0.5 }, model: { size: { patch: 2, width: 12, depth: 1, heads: 1 } } }",
            "'sampling.imageSize' is 6, but motion is found in blocks of 8 x 8 pixels"
        ),
        ("{ recipe: 'mgmae', sampling: { imageSize: 64 }, mask: { ratio: 0.95 } }", "'mask.ratio'"),
        ("{ recipe: 'ibot', sampling: { localSize: 100 } }", "'sampling.localSize' is 100, which patches of 16 pixels do not divide"),
        ("{ recipe: 'ibot', sampling: { localCrops: 65 } }", "'sampling.localCrops' is 65: from 0 to 64"),
        ("{ recipe: 'ibot', mask: { ratio: 0.9 } }", "all of mask.ratio ± mask.ratioVariance must lie from 0 to below 1"),
        ("{ recipe: 'ibot', model: { patchOutputs: 4096 } }", "a head that CLS and patches share makes 8192 of both"),
        ("{ recipe: 'ibot', model: { sharesTeacherHead: false } }", "leads no second one: set it true"),
        ("{ recipe: 'ibot', model: { dropPath: 1 } }", "'model.dropPath' is 1.0: a chance from 0 to below 1"),
        ("{ recipe: 'ibot', model: { decoderSize: 'mae' } }", "there is no key 'decoderSize' in 'model'"),
        ("{ recipe: 'ibot', optimization: { teacherTemperature: [0.04] } }", "two numbers above 0, at the beginning and after the warm-up"),
        ("{ recipe: 'ibot', optimization: { momentum: 1.5 } }", "'optimization.momentum' is 1.5, but a share lies between 0 and 1"),
        ("{ recipe: 'siamese-im', mask: { ratio: 1 } }", "'mask.ratio'"),
        ("{ recipe: 'siamese-im', model: { projectorDepth: -1 } }", "'model.projectorDepth' is -1: from 0 to 1000 blocks"),
        ("{ recipe: 'siamese-im', optimization: { negativeWeight: -1 } }", "'optimization.negativeWeight' is -1.0: 0 or more"),
        ("{ recipe: 'siamese-im', optimization: { clipping: -1 } }", "'optimization.clipping' is -1.0: above 0, or 0 for none"),
        ("{ recipe: 'videomae-v2', mask: { decoderRatio: 0 } }", "is 0: without a mask of the decoder's this is the recipe videomae"),
        ("{ recipe: 'videomae-v2', mask: { decoderRatio: 0.2 } }", "the decoder leaves out one, two or three: from 0.25 to below 1"),
        (
            "{ recipe: 'videomae-v2', sampling: { imageSize: 112 } }",
            "is 112, 7 patches, which cells of 2 x 2 (mask.decoderRatio) do not divide"
        ),
        ("{ recipe: 'videomae-v2', mask: { ratio: 0.5 } }", "the decoder may find nothing hidden among what it predicts: raise it"),
        ("{ recipe: 'videomae-v2', model: { mlpRatio: 0 } }", "'model.mlpRatio' is 0.0: from 1 to 64"),
        ("{ recipe: 'videomae-v2', optimization: { clipping: -1 } }", "'optimization.clipping' is -1.0: above 0, or 0 for none"),
        ("{ recipe: 'videomae', model: { size: 's8' } }", "'model.size' is not known: one of b16, g14, h14, h16, l16, s16"),
    ])
    func refusesWhatARecipeCannotHave(text: String, expected: String) {
        let error = #expect(throws: PipelineMistake.self) { try Pipeline.parse(text, source: "p") }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "no error")")
    }

    @Test(arguments: [
        ("{\n mask: {\n  ration: 0.5 } }", "p, line 3: there is no key 'ration' in 'mask'; it has frames, pattern, ratio"),
        ("{ masks: {} }", "p, line 1: there is no key 'masks' in a pipeline"),
        ("{\n\n train: { steps: 'many' } }", "p, line 3: 'train.steps' wants a whole number"),
        ("{ train: { steps: 1.5 } }", "p, line 1: 'train.steps' wants a whole number"),
        ("{ train: 5 }", "'train' wants a group in braces"),
        ("{ sampling: { frameGap: 4 } }", "'sampling.frameGap' wants a list of numbers"),
        ("{ mask: { ratio: 1 } }", "'mask.ratio' is 1.0: from 0 to below 1"),
        ("{ mask: { ratio: 0.999 } }", "leaves no visible patch of 196"),
        ("{ mask: { ratio: 0 } }", "hides no patch of 196"),
        ("{ mask: { ratio: 0, pattern: 'grid' } }", "'mask.ratio' is 0.0, with which the grid of visible patches is all 14 x 14"),
        ("{ mask: { ratio: 0.999, pattern: 'grid' } }", "leaves no visible patch of 196"),
        ("{ mask: { ratio: 1e300 } }", "'mask.ratio' is 1e+300: from 0 to below 1"),
        ("{ mask: { ratio: 0.9, frames: 'symmetric' }, sampling: { imageSize: 4000000000000000 } }", "from 1 to 2048 pixels"),
        (
            "{\n mask: {\n  pattern: 'grit' } }",
            "p, line 3: 'mask.pattern' is no word that it knows; it wants \"random\" or \"grid\""
        ),
        ("{ mask: { frames: 'both' } }", "'mask.frames' is no word that it knows; it wants \"asymmetric\" or \"symmetric\""),
        ("{ mask: { frames: 2 } }", "'mask.frames' wants \"asymmetric\" or \"symmetric\""),
        ("{ sampling: { crops: '' } }", "'sampling.crops' is no word that it knows; it wants \"shared\" or \"independent\""),
        (
            "{ sampling: { timeline: 'index' } }",
            "'sampling.timeline' is no word that it knows; it wants \"presentation-time\" or \"raw-index\""
        ),
        ("{ model: { encoder: true } }", "'model.encoder' wants \"siamese\" or \"joint\""),
        (
            "{ model: {\n decoder: 'crossself' } }",
            "p, line 2: 'model.decoder' is no word that it knows; it wants \"cross-self\", \"cross\" or \"joint\""
        ),
        ("{ sampling: { frameGap: [0, 48] } }", "the smallest gap is 1"),
        ("{ sampling: { frameGap: [48, 4] } }", "the smallest comes first"),
        ("{ sampling: { frameGap: [1, 100001] } }", "above the limit of 100000 frames"),
        ("{ sampling: { cropAspect: [0.001, 1] } }", "width over height, from 0.01 to 100, ascending"),
        ("{ sampling: { frameGap: [] } }", "wants two whole numbers"),
        ("{ sampling: { futures: 0 } }", "'sampling.futures' is 0: from 1 to 8 future frames"),
        ("{ sampling: {\n futures: 1.5 } }", "p, line 2: 'sampling.futures' wants a whole number, not 1.5"),
        ("{ sampling: { pasts: 9 } }", "'sampling.pasts' is 9: from 1 to 8 past frames"),
        (
            "{ sampling: { pasts: 2, futures: 3 } }",
            "'sampling.pasts' is 2, and sampling.futures 3: several past frames tell of one future frame"
        ),
        (
            "{ sampling: { futures: 4, frameGap: [1, 3] } }",
            "is [1, 3], too few gaps for 4 different ones: widen it, or lower sampling.futures"
        ),
        ("{ sampling: { pasts: 2 }, model: { encoder: 'joint' } }", "'model.encoder' is \"joint\", which sees a past and a future frame"),
        ("{ sampling: { cropArea: [0.5, 1.5] } }", "a crop cannot be bigger than the image"),
        ("{ sampling: { imageSize: 225 } }", "which patches of 16 pixels do not divide"),
        ("{ model: { size: 'x32' } }", "'model.size' is not known: one of b16, h14, l16, s16, s8, ti16"),
        ("{ model: { size: { patch: 8, width: 96, depth: 4, heads: 5 } } }", "has 5 heads, which do not divide its width of 96"),
        ("{ model: { size: { patch: 8, width: 96, depth: 4, head: 3 } } }", "there is no key 'head' in 'model.size'"),
        ("{ model: { size: { patch: 8, width: 96, depth: 4 } } }", "wants the key 'heads' too"),
        ("{ train: { batch: 10, microBatch: 4 } }", "which does not divide train.batch (10)"),
        ("{ name: '../x' }", "names the folder"),
        ("{ seed: 1, seed: 2 }", "line 1: the key 'seed' stands twice"),
        ("{\n seed: 1\n name: 'x' }", "line 2: a ',' or '}' is missing"),
        ("{ name: trial }", "text needs quotes"),
        ("{ seed: 0x10 }", "'0x10' is not a number"),
        ("{ name: 'x", "is not closed"),
        ("{ /* ", "the comment '/*' is not closed"),
        ("", "the text ends where a value should stand"),
        ("{} {}", "nothing may follow"),
    ])
    func refusesWithLineAndRemedy(text: String, expected: String) {
        let error = #expect(throws: PipelineMistake.self) { try Pipeline.parse(text, source: "p") }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "no error")")
    }

    @Test(arguments: [
        ("train.step=5", "there is no key 'step' in 'train'"),
        ("train.steps=-1", "--set train.steps: is -1"),
        ("train.steps", "write KEY=VALUE"),
        ("train.steps=many", "--set train.steps: wants a whole number"),
        (
            "recipe=map",
            "--set recipe: is \"map\", which there is not: one of siammae, mae, mae-st, videomae, videomae-v2, mgmae, ibot, siamese-im"
        ),
        ("model.decoder=self", "--set model.decoder: is no word that it knows; it wants \"cross-self\", \"cross\" or \"joint\""),
    ])
    func refusesOverrides(override: String, expected: String) {
        let error = #expect(throws: PipelineMistake.self) { try Pipeline.parse("{}", source: "p", overrides: [override]) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "no error")")
    }

    /// Pipelines and checkpoints of before the key was renamed mean the same.
    @Test func renamedKeysAreUnderstood() throws {
        #expect(try Pipeline.parse("{ dataflow: { patience: 5 } }", source: "x").dataflow.timeout == 5)
        #expect(try Pipeline.parse("{}", source: "x", overrides: ["dataflow.patience=7"]).dataflow.timeout == 7)
    }

    @Test func missingFileIsNamed() {
        let error = #expect(throws: PipelineMistake.self) { try Pipeline.load("/nowhere/x.json5") }
        #expect(error?.description.contains("/nowhere/x.json5: there is no such file") == true)
    }

    /// Each group within a group takes some of the stack of whoever reads it.
    @Test(arguments: ["[", "{ a: "]) func deepNestingIsRefused(group: String) {
        #expect {
            try Pipeline.parse(String(repeating: group, count: 1_000_000), source: "deep.json5")
        } throws: { "\($0)".contains("more than 100 groups stand in each other") }
    }
}
