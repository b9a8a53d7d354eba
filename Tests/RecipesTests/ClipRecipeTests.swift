import Autograd
import Compute
import Foundation
import Models
import Recipes
import TestBackends
import TestSupport
import Testing

@Suite struct ClipRecipeTests {
    /// One block of each kind, of a ViT-S and the decoder that is published with it.
    private static let ofOneBlock: [AnyRecipe] = {
        var (mae, maeST, videoMAE) = (MAE.Settings(), MAEST.Settings(), VideoMAE.Settings())
        mae.model.size = .free(EncoderSize(patch: 16, width: 384, depth: 1, heads: 6))
        mae.model.decoderSize = .free(DecoderSize(width: 512, depth: 1, heads: 16))
        maeST.model.size = .free(ClipEncoderSize(patch: 16, width: 384, depth: 1, heads: 6))
        maeST.model.decoderSize = .free(ClipDecoderSize(width: 512, depth: 1, heads: 16))
        videoMAE.model.size = maeST.model.size
        videoMAE.model.decoderSize = .free(ClipDecoderSize(width: 192, depth: 1, heads: 3))
        return [AnyRecipe(mae), AnyRecipe(maeST), AnyRecipe(videoMAE)]
    }()

    /// The distribution of every parameter's first values and whether it is decayed: rules.json of the golden recipes.
    @Test(
        .enabled(if: Shared.folder != nil, "TANDEM_SHARED is not there: published initial values are not compared"), arguments: ofOneBlock)
    func firstValuesArePublished(settings: AnyRecipe) throws {
        struct Rule: Decodable {
            let shape: [Int]
            let kind: String
            let numbers: [Double]
            let decayed: Bool

            enum Keys: CodingKey { case shape, initial, decayed }

            init(from decoder: any Decoder) throws {
                let members = try decoder.container(keyedBy: Keys.self)
                shape = try members.decode([Int].self, forKey: .shape)
                decayed = try members.decode(Bool.self, forKey: .decayed)
                var initial = try members.nestedUnkeyedContainer(forKey: .initial)
                kind = try initial.decode(String.self)
                var numbers: [Double] = []
                while !initial.isAtEnd { numbers.append(try initial.decode(Double.self)) }
                self.numbers = numbers
            }
        }
        let path = try #require(Shared.folder) + "/golden/recipes/rules.json"
        let all = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
        let own = try #require((all["initial"] as? [String: Any])?[settings.name])
        // Tables are not learned.
        let rules = try JSONDecoder().decode([String: Rule].self, from: JSONSerialization.data(withJSONObject: own))
            .filter { $0.value.kind != "table" }
        let recipe = settings.makeRecipe(seed: 1, precision: .f32, backend: PlanningBackend())
        #expect(recipe.parameters.entries.map(\.name).sorted() == rules.keys.sorted())
        for entry in recipe.parameters.entries {
            let rule = try #require(rules[entry.name])
            #expect(entry.shape == rule.shape, "\(entry.name)")
            #expect((entry.isDecayed && !recipe.rules.undecayed.contains(entry.name)) == rule.decayed, "\(entry.name)")
            let expected: Initialization =
                switch rule.kind {
                case "zeros": .zeros
                case "ones": .ones
                case "uniform": .uniform(bound: rule.numbers[0])
                case "normal": .normal(standardDeviation: rule.numbers[0])
                default: .truncatedNormal(standardDeviation: rule.numbers[0], cut: rule.numbers[1])
                }
            let found = recipe.parameters.parameter(entry.name).initialization
            if case .uniform(let bound) = found, case .uniform(let published) = expected {
                #expect(abs(bound / published - 1) < 1e-12, "\(entry.name)")
            } else {
                #expect(found == expected, "\(entry.name)")
            }
        }
    }

    /// Known answers: rules.json of the golden recipes, "predicted frames".
    @Test(arguments: [
        (16, 2, 8, [0, 2, 4, 6, 8, 10, 12, 15]), (16, 2, 16, Array(0..<16)), (16, 4, 4, [0, 5, 10, 15]), (8, 2, 4, [0, 2, 4, 7]),
    ]) func predictedFramesAreEvenlySpaced(frames: Int, tubelet: Int, count: Int, expected: [Int]) {
        var settings = MAEST.Settings()
        (settings.sampling.frames, settings.model.tubelet, settings.model.predictedFrames) = (frames, tubelet, count)
        #expect(settings.problem == nil && settings.predictedFrames == expected)
        settings.model.predictedFrames = count - 1
        #expect(settings.problem?.key == "model.predictedFrames")
    }

    /// Of a clip of 6 frames those that are predicted, 0, 2 and 5, whole, masked and completed.
    @Test func picturesAreOfThePredictedFrames() throws {
        let (recipe, backend) = (RecipeCase.maeST, try TestBackend.cpu.open())
        RandomSamples(of: recipe.recipe.value.sampler, count: 1).withBlocks { samples in
            let rows = recipe.make(on: backend).pictures(of: samples, arena: Arena(backend: backend))
            let (clip, mask) = (Array(samples[0].bytes("frames")!), Array(samples[0].bytes("mask")!))
            #expect(rows.map(\.count) == [3, 3, 3])
            for (index, frame) in [0, 2, 5].enumerated() {
                let original = Array(clip[frame * 1728..<(frame + 1) * 1728])
                #expect(rows[0][index].pixels == original)
                for element in original.indices {
                    let isHidden = mask[index * 9 + element / 72 / 8 * 3 + element % 72 / 3 / 8] != 0
                    #expect(rows[1][index].pixels[element] == (isHidden ? 128 : original[element]))
                    if !isHidden { #expect(rows[2][index].pixels[element] == original[element]) }
                }
                #expect(rows[2][index] != rows[1][index])
            }
        }
    }

    /// Of a clip of 4 frames the whole frames, the masked and the completed ones.
    @Test func picturesAreThreeRowsOfFrames() throws {
        let (recipe, backend) = (RecipeCase.videoMAE, try TestBackend.cpu.open())
        let sampler = recipe.recipe.value.sampler
        RandomSamples(of: sampler, count: 2).withBlocks { samples in
            let rows = recipe.make(on: backend).pictures(of: samples, arena: Arena(backend: backend))
            #expect(rows.map(\.count) == [4, 4, 4, 4, 4, 4])
            for (index, sample) in samples.enumerated() {
                let (clip, mask) = (Array(sample.bytes("frames")!), Array(sample.bytes("mask")!))
                #expect(rows[3 * index].flatMap(\.pixels) == clip)
                let (masked, completed) = (rows[3 * index + 1].flatMap(\.pixels), rows[3 * index + 2].flatMap(\.pixels))
                for element in clip.indices {
                    let (frame, y, x) = (element / 1728, element % 1728 / 72, element % 72 / 3)
                    let isHidden = mask[frame / 2 * 9 + y / 8 * 3 + x / 8] != 0
                    #expect(masked[element] == (isHidden ? 128 : clip[element]))
                    if !isHidden { #expect(completed[element] == clip[element]) }
                }
                #expect(completed != masked)
            }
        }
    }
}
