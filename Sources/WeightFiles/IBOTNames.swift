/// The names of arrays in full checkpoints of bytedance/ibot, beside those of Tandem's.
///
/// Such a file holds dictionaries: `student`, `teacher`, `ibot_loss`. In safetensors, which knows none, their paths are joined by dots, so that
/// each is what follows `student.`, `teacher.` or `ibot_loss.`. Where one last layer serves CLS and patches, it stands there under both of its
/// names, as PyTorch saves it. Source: bytedance/ibot main_ibot.py (`save_dict`) and models/head.py.
enum IBOTNames {
    private static let (student, teacher, loss, wrapper) = ("student.", "teacher.", "ibot_loss.", "module.")
    /// What the student has for hidden patches, and no other recipe under this name.
    private static let maskedEmbed = "backbone.masked_embed"
    private static let (lastLayer, lastOfPatches) = ("head.last_layer.", "head.last_layer2.")

    /// Whether an array of a training is a centre: a row there, and one dimension here.
    static func isCentre(_ name: String) -> Bool { name == "center" || name == "center2" }

    /// The key of each array that has another name in Tandem's checkpoints, by that name; nothing for other files.
    static func translation(of keys: some Collection<String>) -> [String: String] {
        let isIBOTs = keys.contains { $0.hasPrefix(student) && without(wrapper, without(student, $0)) == maskedEmbed }
        guard isIBOTs else { return [:] }
        let names = keys.sorted().compactMap { key -> (String, String)? in
            let name =
                if key.hasPrefix(student) {
                    without(wrapper, without(student, key))
                } else if key.hasPrefix(teacher) {
                    teacher + without(wrapper, without(teacher, key))
                } else { without(loss, key) }
            return name == key ? nil : (name, key)
        }
        // A name that is taken stays with its array.
        return Dictionary(names) { first, _ in first }.filter { name, _ in !keys.contains(name) }
    }

    private static func without(_ beginning: String, _ name: String) -> String {
        name.hasPrefix(beginning) ? String(name.dropFirst(beginning.count)) : name
    }

    /// Whether a file holds all that a training consists of.
    static func isWhole(_ file: WeightFile) -> Bool {
        [maskedEmbed, lastLayer + "weight_v", teacher + lastLayer + "weight_v", "center", "center2"].allSatisfy { file.entries[$0] != nil }
    }

    /// A training's arrays as its authors name them, without those of the optimizer and the number of steps.
    static func published(_ file: WeightFile) -> [Safetensors.Array] {
        file.entries.flatMap { key, entry in
            names(of: key, in: file).map { name in
                let shape = isCentre(key) ? (key == "center" ? [1] : [1, 1]) + entry.shape : entry.shape
                return Safetensors.Array(name: name, shape: shape) { try file.floats(key) }
            }
        }
    }

    private static func names(of key: String, in file: WeightFile) -> [String] {
        if isCentre(key) { return [loss + key] }
        let (branch, name) = key.hasPrefix(teacher) ? (teacher, without(teacher, key)) : (student, key)
        guard name.hasPrefix("backbone.") || name.hasPrefix("head.") else { return [] }
        let own = key.dropLast(name.count)
        let second = lastOfPatches + without(lastLayer, name)
        let servesBoth = name.hasPrefix(lastLayer) && file.entries[own + second] == nil
        return servesBoth ? [branch + name, branch + second] : [branch + name]
    }
}
