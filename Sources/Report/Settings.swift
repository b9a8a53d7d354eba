import Configuration

/// The settings of a run: a text for each key of its pipeline, "mask.ratio".
package struct Settings: Equatable {
    package private(set) var values: [String: String] = [:]

    package init() {}

    /// Reads a pipeline's text; throws a sentence that names the line where it is none.
    package init(pipeline text: String) throws { values = try Pipeline.flattened(text) }

    package subscript(key: String) -> String? { values[key] }

    /// Without what tells runs of one experiment apart: the name, and the seed.
    package var withoutSeed: Settings {
        var settings = self
        settings.values["name"] = nil
        settings.values["seed"] = nil
        return settings
    }

    /// The keys that not all of these have alike, ascending, their names left out.
    package static func differing(_ all: [Settings]) -> [String] {
        Set(all.flatMap(\.values.keys)).sorted().filter { key in key != "name" && all.contains { $0[key] != all[0][key] } }
    }
}

/// Runs that differ in their seed alone, in the order in which the first of each was named.
package struct SeedGroup {
    package private(set) var runs: [Int]

    package static func find(_ runs: [Settings]) -> [SeedGroup] {
        runs.indices.reduce(into: []) { groups, run in
            // Of a run without settings nothing is known.
            let own = runs[run].withoutSeed
            if runs[run] != Settings(), let group = groups.firstIndex(where: { runs[$0.runs[0]].withoutSeed == own }) {
                groups[group].runs.append(run)
            } else {
                groups.append(SeedGroup(runs: [run]))
            }
        }
    }

    /// What groups are called, by the settings of one run of each: by their recipes where those differ, and by what differs within a recipe.
    package static func titles(_ groups: [Settings]) -> [String] {
        let recipes = Set(groups.map { $0["recipe"] })
        return groups.map { own in
            let keys = Settings.differing(groups.filter { $0["recipe"] == own["recipe"] }.map(\.withoutSeed))
            let words = (recipes.count > 1 ? [own["recipe"] ?? "no recipe"] : []) + keys.map { "\($0) \(own[$0] ?? "–")" }
            return words.isEmpty ? "all runs" : words.joined(separator: ", ")
        }
    }
}
