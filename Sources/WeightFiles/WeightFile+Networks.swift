import Base

extension WeightFile {
    /// One of the vision transformers of a file: there are several where a training keeps a network that follows another.
    struct Network: Equatable {
        /// What stands in front of its arrays' names: "", a path that ends in a dot, such as `teacher.backbone.`, or `mm_` after either.
        let prefix: String
        /// Of a network that is the average of another what its branch's names begin with, such as `teacher.`, which stands before the
        /// teacher's head too; nil of others.
        let averagedBranch: String?

        /// What SiameseIM puts before its averaged network's names: no path, a part of the first name.
        fileprivate static let momentum = "mm_"

        init(prefix: String) {
            self.prefix = prefix
            let path = prefix.split(separator: ".")
            averagedBranch =
                prefix.hasSuffix(Self.momentum)
                ? prefix
                : path.firstIndex { $0.hasPrefix("teacher") || $0.hasPrefix("target") || $0.hasSuffix("ema") }.map { last in
                    path[...last].map { $0 + "." }.joined()
                }
        }

        /// Its path in the file, without the last dot; empty at the top.
        var place: String { prefix.hasSuffix(".") ? String(prefix.dropLast()) : prefix }

        /// The key of one of its arrays. SiameseIM's two networks have one table of positions, which is not learned.
        func key(_ name: String) -> String {
            (name == "pos_embed" && prefix.hasSuffix(Self.momentum) ? String(prefix.dropLast(Self.momentum.count)) : prefix) + name
        }
    }

    /// The vision transformers that the file holds, by their patch embeddings. So every wrapper is known: `model`, `state_dict`, `module.`,
    /// `backbone.`, `encoder.` and whatever else ends before `patch_embed.proj.weight`.
    var networks: [Network] {
        let suffix = "patch_embed.proj.weight"
        return entries.keys.filter { $0.hasSuffix(suffix) && !$0.hasPrefix("optimizer.") }.map { String($0.dropLast(suffix.count)) }
            .filter { $0.isEmpty || $0.hasSuffix(".") || $0 == Network.momentum || $0.hasSuffix("." + Network.momentum) }
            .sorted().map(Network.init)
    }

    /// The network to read an encoder from.
    ///
    /// Of several in a file the averaged one counts - `teacher`, `target_encoder`, `ema` -, which is the one such recipes evaluate. SiameseIM
    /// fine-tunes the one that is trained: what follows it makes targets only.
    ///
    /// - Parameter entry: the network to take where a file holds several: the beginning of its path; `teacher` and `student` also where
    ///   paths say otherwise.
    func network(entry: String? = nil) throws -> Network {
        let all = networks
        if let entry {
            let chosen = networks(entry)
            if chosen.count == 1 { return chosen[0] }
            let number = chosen.isEmpty ? "no" : "more than one"
            throw Failure("\(name) holds \(number) vision transformer under '\(entry)'\(Self.list(all))")
        }
        if all.isEmpty { return Network(prefix: "") }
        let usual = all.count == 1 ? all : all.filter { !$0.prefix.hasSuffix(Network.momentum) }
        if let atTop = usual.first(where: \.prefix.isEmpty) { return atTop }
        let chosen = usual.count == 1 ? usual : usual.filter { $0.averagedBranch != nil }
        if chosen.count == 1 { return chosen[0] }
        throw Failure("\(name) holds several vision transformers; choose one with 'tandem import --entry NAME'\(Self.list(all))")
    }

    private func networks(_ entry: String) -> [Network] {
        let all = networks
        if let exact = all.first(where: { $0.place == entry }) { return [exact] }
        let under = all.filter { $0.prefix.hasPrefix(entry + ".") }
        guard under.isEmpty else { return under }
        let averaged = all.filter { $0.averagedBranch != nil }
        return switch entry {
        case "teacher": averaged
        case "student" where !averaged.isEmpty: all.filter { $0.averagedBranch == nil }
        default: []
        }
    }

    private static func list(_ networks: [Network]) -> String {
        guard !networks.isEmpty else { return "" }
        return "; there are " + networks.map { $0.place.isEmpty ? "one at the top" : "'\($0.place)'" }.joined(separator: ", ")
    }
}
