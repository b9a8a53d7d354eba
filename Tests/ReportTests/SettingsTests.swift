import Base
import Report
import Testing

@Suite struct SettingsTests {
    private func settings(_ text: String) throws -> Settings { try Settings(pipeline: text) }

    @Test func keysAndTheirValues() throws {
        let own = try settings("{ name: 'a', // of mine\n mask: { ratio: .75, boxes: [1, 2] }, train: { recompute: false, } }")
        #expect(own.values == ["name": "a", "mask.ratio": "0.75", "mask.boxes": "[1, 2]", "train.recompute": "false"])
        #expect(throws: (any Error).self) { try settings("{ name: ") }
    }

    @Test func whatDiffersBetweenRuns() throws {
        let runs = [
            try settings("{ name: 'a', seed: 1, mask: { ratio: 0.5 }, recipe: 'mae' }"),
            try settings("{ name: 'b', seed: 1, mask: { ratio: 0.9 }, recipe: 'mae' }"),
            try settings("{ name: 'c', seed: 1, recipe: 'mae', train: { steps: 3 } }"),
        ]
        #expect(Settings.differing(runs) == ["mask.ratio", "train.steps"])
        #expect(Settings.differing([runs[0]]) == [])
    }

    @Test func runsThatDifferInSeedAlone() throws {
        func run(_ name: String, seed: Int, ratio: Double) throws -> Settings {
            try settings("{ name: '\(name)', seed: \(seed), mask: { ratio: \(ratio) } }")
        }
        let runs = [
            try run("a", seed: 1, ratio: 0.5), try run("b", seed: 1, ratio: 0.9), try run("c", seed: 2, ratio: 0.5), Settings(), Settings(),
        ]
        #expect(SeedGroup.find(runs).map(\.runs) == [[0, 2], [1], [3], [4]])
    }

    /// Recipes have keys of their own: between them the recipe says enough.
    @Test func groupsAreCalledByWhatTellsThemApart() throws {
        let few = try settings("{ name: 'a', seed: 1, recipe: 'mae', mask: { ratio: 0.5 } }")
        let many = try settings("{ name: 'b', seed: 1, recipe: 'mae', mask: { ratio: 0.9 } }")
        let other = try settings("{ name: 'c', seed: 2, recipe: 'ibot', mask: { ratio: 0.3 }, model: { outputs: 512 } }")
        #expect(SeedGroup.titles([few, many, other]) == ["mae, mask.ratio 0.5", "mae, mask.ratio 0.9", "ibot"])
        #expect(SeedGroup.titles([few, many]) == ["mask.ratio 0.5", "mask.ratio 0.9"])
        #expect(SeedGroup.titles([few]) == ["all runs"])
    }

    @Test func meanAndDeviation() {
        #expect(Spread([]) == nil)
        #expect(Spread([4])?.mean == 4 && Spread([4])?.deviation == nil)
        #expect(Spread([1, 2, 3])?.mean == 2 && Spread([1, 2, 3])?.deviation == 1)
    }
}
