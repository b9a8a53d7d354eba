import Base
import Foundation

/// Named arrays out of any file of weights that Tandem reads: safetensors, or what PyTorch's `torch.save` wrote (`.pth`, `.pt`).
///
/// What a file is, its first bytes tell, not its name. PyTorch files are read without running anything in them: see ``Unpickler``.
public struct WeightFile {
    /// A format of files.
    public enum Format: String, Sendable {
        /// Hugging Face's format, which Tandem writes too.
        case safetensors
        /// The zip archive of PyTorch 1.6 and later.
        case torch = "PyTorch"
        /// What PyTorch wrote before 1.6.
        case oldTorch = "PyTorch before 1.6"
    }

    /// What the file says of one array.
    public struct Entry: Equatable, Sendable {
        /// Extents, the last of which runs fastest; none for a single number, and where those of an unreadable array are not known.
        public let shape: [Int]
        /// The element type, as safetensors or PyTorch spells it; may be one that cannot be read.
        public let typeName: String
        /// Whether the elements can be read as numbers.
        let isReadable: Bool

        /// Number of elements.
        public var count: Int { shape.reduce(1, *) }

        /// The same elements in one dimension.
        fileprivate var flattened: Entry { isReadable ? Entry(shape: [count], typeName: typeName, isReadable: true) : self }
    }

    /// What the file is by its first bytes.
    public let format: Format
    /// The file's name in messages.
    public let name: String
    /// The arrays by name; those of a PyTorch file by their path in it, such as `model.cls_token`.
    public let entries: [String: Entry]
    /// The free-form strings of a safetensors file; of a PyTorch file what stands beside the weights, such as `epoch`.
    public let metadata: [String: String]
    private let source: Source
    /// What arrays are made of whose names, or whose division, are others in the file.
    private let parts: [String: [Rows]]

    /// Rows of an array of the file: all, or one of several equal shares.
    private struct Rows {
        let key: String
        var share = 0
        var shares = 1
    }

    private enum Source {
        case safetensors(Safetensors)
        case torch(TorchFile)
    }

    /// Opens a file and checks its structure; arrays are read later.
    public init(path: String) throws {
        try self.init(data: mapFile(path), name: path)
    }

    /// Reads what is in memory already.
    /// - Parameter name: what to call it in messages.
    public init(data: Data, name: String) throws {
        self.name = name
        if let container = TorchFile.Container(data) {
            let file = try TorchFile(data, container: container, name: name)
            source = .torch(file)
            format = container == .zip ? .torch : .oldTorch
            metadata = file.remarks
            (entries, parts) = Self.translated(
                file.tensors.mapValues {
                    let type = $0.storage.type
                    return Entry(shape: $0.view.shape, typeName: type?.rawValue ?? $0.storage.typeName, isReadable: type != nil)
                })
        } else {
            let file = try Safetensors(data: data, name: name)
            source = .safetensors(file)
            format = .safetensors
            metadata = file.metadata
            (entries, parts) = Self.translated(
                file.entries.mapValues { Entry(shape: $0.shape, typeName: $0.typeName, isReadable: $0.elementType != nil) })
        }
    }

    /// The arrays of a file of transformers under timm's and MAE's names, those of MAE-ST in PySlowFast under the names of its publication,
    /// those of iBOT's dictionaries under the names of Tandem's checkpoints, and what they are made of; those of other files as they are.
    private static func translated(_ entries: [String: Entry]) -> ([String: Entry], [String: [Rows]]) {
        var (all, parts) = (entries, [String: [Rows]]())
        for (name, keys) in TransformersNames.translation(of: entries.keys) {
            let found = keys.map { entries[$0]! }
            guard let shape = found[0].shape.first.map({ [$0 * keys.count] + found[0].shape.dropFirst() }),
                found.allSatisfy({ $0.shape == found[0].shape })
            else { continue }
            parts[name] = keys.map { Rows(key: $0) }
            for key in keys { all[key] = nil }
            all[name] = Entry(shape: shape, typeName: found[0].typeName, isReadable: found.allSatisfy(\.isReadable))
        }
        for (key, names) in fusedProjections(of: entries) {
            let fused = entries[key]!
            all[key] = nil
            for (share, name) in names.enumerated() {
                parts[name] = [Rows(key: key, share: share, shares: names.count)]
                all[name] = Entry(
                    shape: [fused.shape[0] / names.count] + fused.shape.dropFirst(), typeName: fused.typeName, isReadable: fused.isReadable)
            }
        }
        for (name, key) in IBOTNames.translation(of: entries.keys) {
            let entry = entries[key]!
            parts[name] = [Rows(key: key)]
            all[key] = nil
            all[name] = IBOTNames.isCentre(name) ? entry.flattened : entry
        }
        return (all, parts)
    }

    /// For each array that holds queries, keys and values of an encoder of MAE-ST, the names of the three: PySlowFast keeps them in one where
    /// its `MVIT.SEPARATE_QKV` is false, as it is unless a configuration says otherwise (slowfast/config/defaults.py), mae_st in three.
    private static func fusedProjections(of entries: [String: Entry]) -> [(key: String, names: [String])] {
        let table = "pos_embed_spatial"
        let encoders = entries.keys.filter { $0 == table || $0.hasSuffix("." + table) }.map { $0.dropLast(table.count) + "blocks." }
        return entries.compactMap { key, entry in
            guard encoders.contains(where: key.hasPrefix), let range = key.range(of: ".attn.qkv."), let rows = entry.shape.first,
                rows % 3 == 0
            else { return nil }
            return (key, ["q", "k", "v"].map { key.replacingCharacters(in: range, with: ".attn.\($0).") })
        }
    }

    /// The elements of an array, row by row, as f32.
    public func floats(_ key: String) throws -> [Float] {
        try (parts[key] ?? [Rows(key: key)]).flatMap { rows in
            let all =
                switch source {
                case .safetensors(let file): try file.floats(rows.key)
                case .torch(let file): try file.floats(rows.key)
                }
            let count = all.count / rows.shares
            return rows.shares == 1 ? all : Array(all[rows.share * count..<(rows.share + 1) * count])
        }
    }

    /// The elements of an array that must have this shape.
    public func floats(_ key: String, shape: [Int]) throws -> [Float] {
        try require(key, shape: shape)
        return try floats(key)
    }

    /// Throws where there is no such array, or none that can be read, or where it has another shape.
    package func require(_ key: String, shape: [Int]) throws {
        guard let entry = entries[key] else { throw Failure("\(name) holds no array '\(key)'") }
        // Of some kinds the shape is not known either.
        guard entry.isReadable else { throw ElementType.refusal(of: key, in: name, holding: entry.typeName) }
        guard entry.shape == shape else {
            throw Failure("\(name) is of another model: '\(key)' has the shape \(entry.shape), not \(shape)")
        }
    }

    /// The effective pipeline of the run that made the weights, as JSON; nil for weights from elsewhere.
    public var pipeline: String? { metadata["tandem.pipeline"] }

    /// What a safetensors file of Tandem's says of its encoder.
    var remarks: EncoderRemarks { EncoderRemarks(format == .safetensors ? metadata : [:]) }
}
