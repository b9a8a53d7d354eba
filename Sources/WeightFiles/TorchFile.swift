import Base
import Foundation

/// A file that `torch.save` wrote, opened without running anything that it holds.
///
/// Both containers are read: the zip archive of PyTorch 1.6 and later (a pickle `data.pkl`, and a record per storage) and the sequence of
/// pickles before it. Tensors of nested dictionaries and lists go by their path with dots between: `model.cls_token`,
/// `optimizer.state.0.exp_avg`. Source: torch/serialization.py.
final class TorchFile {
    /// The tensors by path.
    let tensors: [String: Pickle.Tensor]
    /// What stands beside the weights at the top: numbers and texts as they are, other things by their kind.
    let remarks: [String: String]
    private let name: String
    private let storages: Storages

    /// Where the storages' bytes are.
    private enum Storages {
        case zip(ZipArchive, folder: String)
        case sequence([String: Data])
    }

    /// How the first bytes of PyTorch's two containers, and of a pickle without one, begin.
    enum Container {
        case zip, sequence, barePickle

        /// nil for anything else; the length that a safetensors file begins with may look like any of them.
        init?(_ bytes: Data) {
            if Safetensors.headerSize(bytes) != nil { return nil }
            if bytes.starts(with: [0x50, 0x4b, 0x03, 0x04]) {
                self = .zip
            } else if bytes.first == 0x80 {
                let isMagic = bytes.prefix(32).range(of: Data([0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19])) != nil
                self = isMagic ? .sequence : .barePickle
            } else {
                return nil
            }
        }
    }

    /// Reads the description of a file; elements are read later.
    /// - Parameter name: what to call it in messages.
    init(_ bytes: Data, container: Container, name: String) throws {
        self.name = name
        let pickle: Pickle
        switch container {
        case .zip: (pickle, storages) = try Self.readZip(bytes, name)
        case .sequence: (pickle, storages) = try Self.readSequence(bytes, name)
        case .barePickle:
            throw Failure(
                "\(name) is a bare pickle, not a file of torch.save; load it in Python and save its weights with torch.save")
        }
        var walk = Walk(pickle: pickle, name: name)
        try walk.visit(pickle.root, path: "", depth: 0)
        if let unknown = pickle.unknownClass { throw Unpickler.refusal(name, unknown, at: walk.placeOfUnknownClass) }
        tensors = walk.tensors
        remarks = walk.remarks
        for (path, tensor) in tensors { try check(tensor, path) }
    }

    /// The elements of a tensor, row by row, as f32.
    func floats(_ path: String) throws -> [Float] {
        guard let tensor = tensors[path] else { throw Failure("\(name) holds no array '\(path)'") }
        guard let type = tensor.storage.type else {
            throw ElementType.refusal(of: path, in: name, holding: tensor.storage.typeName)
        }
        let bytes = try storage(tensor.storage.key)
        // The directory's size was checked when the file was opened; a view lies within its storage.
        let stored = bytes.withUnsafeBytes { type.floats($0, tensor.view) }
        return tensor.isNegated ? stored.map { -$0 } : stored
    }

    private func storage(_ key: String) throws -> Data {
        switch storages {
        case .zip(let archive, let folder): try archive.read(folder + "data/" + key)
        case .sequence(let storages): storages[key] ?? Data()
        }
    }

    private func check(_ tensor: Pickle.Tensor, _ path: String) throws {
        let (storage, found): (Pickle.Storage, Int?)
        storage = tensor.storage
        switch storages {
        case .zip(let archive, let folder): found = archive.size(folder + "data/" + storage.key)
        case .sequence(let storages): found = storages[storage.key]?.count
        }
        guard let type = storage.type else { return }
        guard let found else { throw Failure("\(name) is damaged: the elements of '\(path)' are missing; \(ForeignFile.again)") }
        let (size, overflows) = storage.count.multipliedReportingOverflow(by: type.size)
        guard !overflows, size == found else {
            throw Failure("\(name) is damaged: '\(path)' needs \(storage.count) times \(type.size) bytes, but has \(found)")
        }
    }

    // MARK: Containers

    private static func readZip(_ bytes: Data, _ name: String) throws -> (Pickle, Storages) {
        let archive = try ZipArchive(bytes, name: name)
        let folders = archive.names.filter { $0.hasSuffix("data.pkl") && $0.count(where: { $0 == "/" }) == 1 }.map { $0.dropLast(8) }
        guard let folder = folders.first, folders.count == 1 else {
            throw Failure("\(name) is \(Self.kind(of: archive)), not a file of torch.save: it has no 'data.pkl'")
        }
        if archive.size(folder + "constants.pkl") != nil {
            throw Failure("\(name) is a TorchScript program, not weights; open it in PyTorch and save its state dict alone")
        }
        if archive.size(folder + "byteorder") != nil, try archive.read(folder + "byteorder") != Data("little".utf8) {
            throw Failure("\(name) was written on a big-endian machine; save it again on a little-endian one")
        }
        let pickle = try Unpickler.read(archive.read(folder + "data.pkl"), name: name).pickle
        return (pickle, .zip(archive, folder: String(folder)))
    }

    /// What a zip archive seems to be that PyTorch did not write.
    private static func kind(of archive: ZipArchive) -> String {
        let names = archive.names.sorted()
        if !names.isEmpty, names.allSatisfy({ $0.hasSuffix(".npy") }) { return "an archive of NumPy arrays (.npz)" }
        let weights = names.first { name in [".safetensors", ".pth", ".pt", ".bin", ".ckpt"].contains { name.hasSuffix($0) } }
        return weights.map { "a zip archive that holds '\($0.prefix(100).onOneLine)' (unpack it and name that)" } ?? "a zip archive"
    }

    /// Pickles of a magic number, a version, the writer's system, the value, the storages' keys; then each storage after its length.
    private static func readSequence(_ bytes: Data, _ name: String) throws -> (Pickle, Storages) {
        var rest = bytes
        func next() throws -> Pickle {
            let (pickle, length) = try Unpickler.read(rest, name: name)
            rest = rest.dropFirst(length)
            return pickle
        }
        _ = try next()
        guard case .integer(1001) = try next().root else { throw Failure("\(name) is of a PyTorch version that is not known here") }
        let system = try next()
        if case .bool(false)? = system.members(system.root)?.first(where: { $0.key.isText("little_endian") })?.value {
            throw Failure("\(name) was written on a big-endian machine; save it again on a little-endian one")
        }
        let pickle = try next()
        let keys = try next()
        var types: [String: Pickle.Storage] = [:]
        for storage in pickle.storages where types[storage.key]?.type == nil { types[storage.key] = storage }
        var storages: [String: Data] = [:]
        var cursor = ByteCursor(rest)
        for case .text(let key) in keys.elements(keys.root) ?? [] {
            do {
                let count = Int(clamping: try cursor.read(Int64.self))
                guard let size = types[key]?.type?.size else {
                    let type = types[key]?.typeName ?? "elements of no tensor"
                    throw ElementType.refusal(of: "storage \(key)", in: name, holding: type)
                }
                let (length, overflows) = count.multipliedReportingOverflow(by: size)
                storages[key] = try cursor.read(count: overflows ? .max : length)
            } catch is ByteCursor.CutOff {
                throw Failure("\(name) is cut off: not all of its elements are there; \(ForeignFile.again)")
            }
        }
        return (pickle, .sequence(storages))
    }
}

extension Pickle.Value {
    func isText(_ text: String) -> Bool {
        if case .text(text) = self { true } else { false }
    }
}

extension Pickle {
    /// The storages of all tensors, in no order.
    fileprivate var storages: [Storage] {
        nodes.flatMap { node -> [Storage] in
            let values: [Value]
            switch node {
            case .list(let elements), .tuple(let elements): values = elements
            case .dictionary(let members): values = members.map(\.value)
            }
            return values.compactMap { value in
                switch value {
                case .tensor(let tensor): tensor.storage
                case .storage(let storage): storage
                default: nil
                }
            }
        }
    }
}

/// Goes through all containers of a pickle and notes the tensors by their path.
private struct Walk {
    let pickle: Pickle
    let name: String
    var tensors: [String: Pickle.Tensor] = [:]
    var remarks: [String: String] = [:]
    /// Where the first object of ``Pickle/unknownClass`` stands; nil where none does.
    var placeOfUnknownClass: String?
    /// Containers that were seen: a cycle, or a container that stands in many places, is followed once.
    private var seen: Set<Int> = []
    private var pathBytes = 0

    init(pickle: Pickle, name: String) {
        self.pickle = pickle
        self.name = name
    }

    mutating func visit(_ value: Pickle.Value, path: String, depth: Int) throws {
        switch value {
        case .tensor(let tensor):
            pathBytes += path.utf8.count
            guard pathBytes < 1 << 26 else { throw refusal("the names of its tensors take more than 64 MiB") }
            guard tensors.updateValue(tensor, forKey: path) == nil else { throw refusal("it holds '\(path.prefix(100))' twice") }
        case .node(let index):
            guard seen.insert(index).inserted else { return }
            guard depth < 16 else { throw refusal("its containers nest too deep for weights") }
            switch pickle.nodes[index] {
            case .list(let elements), .tuple(let elements):
                for (number, element) in elements.enumerated() {
                    try visit(element, path: joined(path, "\(number)"), depth: depth + 1)
                }
            case .dictionary(let members):
                for (key, value) in members {
                    guard let key = key.keyText, key.utf8.count <= 1000 else { continue }
                    try visit(value, path: joined(path, key), depth: depth + 1)
                    if depth == 0, remarks.count < 100, !value.mayHoldTensors { remarks[key] = value.summary }
                }
            }
        case .inert(let name), .global(let name):
            if name == pickle.unknownClass, placeOfUnknownClass == nil { placeOfUnknownClass = path }
        default: break
        }
    }

    private func joined(_ path: String, _ key: String) -> String { path.isEmpty ? key : path + "." + key }

    private func refusal(_ why: String) -> Failure { Failure("\(name) cannot be read as PyTorch weights: \(why)") }
}

extension Pickle.Value {
    fileprivate var mayHoldTensors: Bool {
        switch self {
        case .node, .tensor: true
        default: false
        }
    }

    fileprivate var keyText: String? {
        switch self {
        case .text(let text): text
        case .integer(let number): "\(number)"
        default: nil
        }
    }

    /// The value in a few words.
    fileprivate var summary: String {
        switch self {
        case .none: "None"
        case .bool(let value): value ? "True" : "False"
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .text(let text): String(text.prefix(200))
        case .bytes(let data): "\(data.count) bytes"
        case .global(let name), .inert(let name): name
        case .storage(let storage): storage.typeName
        case .node, .tensor: "…"
        }
    }
}
