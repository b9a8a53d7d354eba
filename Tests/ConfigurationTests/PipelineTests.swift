import Configuration
import Foundation
import Sampling
import Testing

@Suite struct PipelineTests {
    @Test func defaultsAreThePapersRecipe() throws {
        let pipeline = try Pipeline.parse("{}", source: "empty")
        #expect(pipeline == Pipeline())
        #expect(pipeline.sampling.frameGap == [4, 48])
        #expect(pipeline.mask.ratio == 0.95)
        #expect(pipeline.train.batch == 2048)
        #expect(pipeline.model.patchSize == 16)
    }

    /// The file that explains the keys has all of them, with the values that a pipeline has that names none.
    @Test func theFileOfKeysIsWhole() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.path + "/Pipelines/keys.json5"
        #expect(try Pipeline.load(path) == Pipeline())
        let text = try String(contentsOfFile: path, encoding: .utf8)
        func keys(_ value: Any) -> [String] { (value as? [String: Any] ?? [:]).flatMap { [$0.key] + keys($0.value) } }
        let all = keys(try JSONSerialization.jsonObject(with: Data(Pipeline().text.utf8)))
        #expect(all.count > 45)
        for key in all { #expect(text.contains(" \(key): "), "\(key)") }
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
        #expect(pipeline.sampling.frameGap == [4, 8])
        #expect(pipeline.model.size == .free(patch: 8, width: 96, depth: 4, heads: 3))
        #expect(pipeline.mask.ratio == 0.5)
        #expect(pipeline.train == Pipeline().train)
    }

    @Test func effectivePipelineReadsBackAsItself() throws {
        var pipeline = Pipeline()
        pipeline.name = "a \"quoted\" \\ name"
        pipeline.model.decoderSize = .free(width: 64, depth: 2, heads: 4)
        #expect(try Pipeline.parse(pipeline.text, source: "effective") == pipeline)
    }

    @Test func overridesWin() throws {
        let pipeline = try Pipeline.parse(
            "{ train: { steps: 5 }, mask: { ratio: 0.9 } }", source: "x",
            overrides: ["train.steps=100", "name=short", "model.size={patch: 4, width: 8, depth: 1, heads: 2}", "sampling.imageSize=32"])
        #expect(pipeline.train.steps == 100)
        #expect(pipeline.name == "short")
        #expect(pipeline.mask.ratio == 0.9)
        #expect(pipeline.model.patchSize == 4)
    }

    @Test func wordsChooseTheVariants() throws {
        let pipeline = try Pipeline.parse(
            "{ mask: { ratio: 0.75, pattern: 'grid', frames: 'symmetric' }, sampling: { crops: 'independent' } }", source: "x",
            overrides: ["model.encoder=joint", "model.decoder=cross"])
        #expect(pipeline.model.encoder == .joint && pipeline.model.decoder == .cross)
        let pairs = pipeline.framePairs
        #expect(pairs.mask.pattern == .grid && pairs.mask.frames == .symmetric && pairs.sampling.crops == .independent)
        #expect(try Pipeline.parse(pipeline.text, source: "effective") == pipeline)
        for word in ["cross-self", "cross", "joint"] {
            let pipeline = try Pipeline.parse("{}", source: "x", overrides: ["model.decoder=\(word)"])
            #expect(pipeline.model.decoder.rawValue == word)
        }
        // A pipeline of before there were words means their defaults.
        #expect(Pipeline().sampler == AnySampler(FramePairSampler()))
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
        ("{ sampling: { cropArea: [0.5, 1.5] } }", "a crop cannot be bigger than the image"),
        ("{ sampling: { imageSize: 225 } }", "which patches of 16 pixels do not divide"),
        ("{ model: { size: 'x32' } }", "'model.size' is not known: one of b16, l16, s16, s8, ti16"),
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
        ("model.decoder=self", "--set model.decoder: is no word that it knows; it wants \"cross-self\", \"cross\" or \"joint\""),
    ])
    func refusesOverrides(override: String, expected: String) {
        let error = #expect(throws: PipelineMistake.self) { try Pipeline.parse("{}", source: "p", overrides: [override]) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "no error")")
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
