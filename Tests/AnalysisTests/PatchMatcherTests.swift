import Analysis
import Compute
import Models
import Pictures
import Recipes
import Synthesis
import TestBackends
import Testing

@Suite("Patch matcher") struct PatchMatcherTests {
    /// A frame of two scenes side by side in time: the second frame is the first one, moved by a patch to the left.
    private func sequence(shift: Int) -> TrueSequence {
        let scene = Scene(.validation, seed: 3, index: 0, shortSide: 64)
        var renderer = SceneRenderer(scene)
        var pixels = [UInt8](repeating: 0, count: scene.width * scene.height * 3)
        renderer.render(frame: 0, into: &pixels)
        func window(_ left: Int) -> RGBImage {
            RGBImage(
                width: 64, height: 64,
                pixels: (0..<64).flatMap { y in pixels[(y * scene.width + left) * 3..<(y * scene.width + left + 64) * 3] })
        }
        let truth = Correspondence(
            displacements: (0..<64 * 64).flatMap { _ in [Float(shift), 0] },
            regions: (0..<64 * 64).map { UInt8($0 % 64 + shift < 64 ? 1 : 0) })
        return TrueSequence(name: "moved", first: window(0), later: [(gap: 1, picture: window(shift), truth: truth)])
    }

    private func recipe() throws -> any Recipe {
        var settings = SiamMAE.Settings()
        settings.sampling.imageSize = 64
        settings.model.size = .free(EncoderSize(patch: 8, width: 24, depth: 2, heads: 3))
        settings.model.decoderSize = .free(DecoderSize(width: 16, depth: 2, heads: 2))
        return try AnyRecipe(settings).makeRecipe(seed: 1, precision: .f32, backend: TestBackend.cpu.open())
    }

    /// A frame that stays finds all of its patches where they are, whatever the weights.
    @Test func whatDoesNotMoveIsFoundInItsPlace() throws {
        let sequence = sequence(shift: 0)
        let matches = PatchMatcher(try recipe(), size: (64, 64)).matches(in: sequence, number: 0)
        let (gap, found) = try #require(matches.first)
        #expect(gap == 1)
        let sources = found.map(\.source)
        #expect(sources.count == 1 + 2 * (1 + 3) + 2 * 2)
        #expect(Set(sources).count == sources.count)
        for found in found where found.source.kind != .crossAttention {
            #expect(found.matches == Array(0..<64), "\(found.source)")
        }
        for found in found { #expect(found.matches.count == 64 && found.matches.allSatisfy((0..<64).contains)) }
    }

    /// Keys of the first block are of patches and positions alone. Without training both count, so that some patches of a moved frame are found
    /// where they were; and none of the same place is a hit.
    @Test func whatMovesIsNotInItsPlace() throws {
        let sequence = sequence(shift: 8)
        var table = MatchTable()
        for found in PatchMatcher(try recipe(), size: (64, 64)).matches(in: sequence, number: 0)[0].found {
            table.add(found.matches, found.source, gap: 1, PatchTruth(sequence.later[0].truth, width: 64, height: 64, found.grid))
        }
        #expect(table[MatchSource(.samePlace), .moved]?.patches == 56)
        #expect(table[MatchSource(.samePlace), .all]?.hit == 0)
        #expect(table[MatchSource(.samePlace), .all]?.nearby == 1)
        let best = table.sources.compactMap { table[$0, .moved]?.hit }.max() ?? 0
        #expect(best > 0.1, "\(best)")
    }
}
