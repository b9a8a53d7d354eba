import Recipes

extension Pipeline {
    /// Whether a run is bound to a key once it has begun: its recipe and all keys of that do, and those named here, decide its samples, its
    /// model and what it computes in.
    private static func isBound(_ key: String) -> Bool {
        ["seed", "train.precision", "train.activations", "train.batch", "train.shards"].contains(key)
            || !isShared(String(key.prefix { $0 != "." }))
    }

    /// Why a run cannot go on with this pipeline, by key with both values and what to do; nil where it can.
    ///
    /// - Parameters:
    ///   - before: the pipeline that the run's checkpoint was written with.
    ///   - step: where the checkpoint stands.
    ///   - samplesSeen: samples that it has seen.
    ///   - mayChangeBatch: whether another `train.batch` was asked for.
    public func obstacle(
        toContinuing before: Pipeline, step: Int, samplesSeen: Int, mayChangeBatch: Bool
    ) -> String? {
        let (old, new) = (before.leaves, leaves)
        let (oldMeaning, newMeaning) = (before.withNumbersAsSizes.leaves, withNumbersAsSizes.leaves)
        let changed = new.keys.sorted().filter { key in
            Self.isBound(key) && oldMeaning[key] != newMeaning[key]
                && !(mayChangeBatch && key == "train.batch")
        }
        guard !changed.isEmpty else { return nil }
        // Another recipe has other keys: it says all.
        let told = changed.contains("recipe") ? ["recipe"] : changed
        let differences = told.map { "\($0) is \(new[$0] ?? "missing"), where the run has \(old[$0] ?? "nothing")" }
        let batch = changed == ["train.batch"] ? "say --change-batch to go on at sample \(samplesSeen) with steps of \(train.batch), " : ""
        return "the run '\(name)' stands at step \(step), and \(differences.joined(separator: "; ")):"
            + " put \(told.count == 1 ? "it" : "them") back to continue, \(batch)or choose another name for a new run, --set name=NAME"
    }

    /// The value of every key, by its dotted path. A size is one value.
    private var leaves: [String: String] {
        func leaves(of tree: JSON5, at path: String) -> [(String, String)] {
            guard case .object(let members) = tree.value, sizeKeys(at: path) == nil else { return [(path, tree.strictText)] }
            return members.flatMap { leaves(of: $0.value, at: path.isEmpty ? $0.key : path + "." + $0.key) }
        }
        // A pipeline's own text always parses.
        return Dictionary(uniqueKeysWithValues: leaves(of: try! JSON5(parsing: text), at: ""))
    }

    /// The same with numbers in place of the names of sizes: `"s16"` and its numbers are one model.
    private var withNumbersAsSizes: Pipeline {
        var pipeline = self
        pipeline.recipe = AnyRecipe(recipe.value.inNumbers())
        return pipeline
    }
}
