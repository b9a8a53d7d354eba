/// What the names in a pickle mean to ``Unpickler``; a name that is not here is refused.
enum PickledClass {
    /// A dictionary.
    case dictionary
    /// A list, set or tuple that is made from one.
    case collection
    /// A tensor over a storage.
    case tensor
    /// A parameter, which is a tensor to us.
    case parameter
    /// The element type of a storage; nil for one that cannot be read as numbers.
    case storage(ElementType?)
    /// A class that holds settings or bookkeeping: its objects are passed over.
    case inert

    /// - Parameter name: module and name with a dot between.
    init?(_ name: String) {
        // Python 2 called its builtins so, and pickles of protocol 2 still do.
        let name = name.hasPrefix("__builtin__.") ? "builtins." + name.dropFirst(12) : name
        if let kind = Self.kinds[name] {
            self = kind
        } else if let type = name.storageName {
            self = .storage(Self.elementTypes[type])
        } else if Self.inertNames.contains(name) || name.isElementType {
            self = .inert
        } else {
            return nil
        }
    }

    private static let kinds: [String: PickledClass] = [
        "collections.OrderedDict": .dictionary, "builtins.dict": .dictionary,
        "builtins.list": .collection, "builtins.tuple": .collection, "builtins.set": .collection, "builtins.frozenset": .collection,
        "torch.Size": .collection,
        "torch._utils._rebuild_tensor": .tensor, "torch._utils._rebuild_tensor_v2": .tensor,
        "torch._utils._rebuild_parameter": .parameter, "torch._utils._rebuild_parameter_with_state": .parameter,
    ]

    private static let inertNames: Set<String> = [
        "argparse.Namespace", "types.SimpleNamespace", "collections.Counter", "collections.defaultdict", "builtins.complex",
        "builtins.bytearray", "builtins.int", "builtins.float", "builtins.bool", "builtins.str", "datetime.datetime", "datetime.timedelta",
        "pathlib.Path", "pathlib.PosixPath", "pathlib.PurePosixPath", "pathlib.WindowsPath", "pathlib._local.PosixPath", "_codecs.encode",
        "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
        "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "torch.device", "torch._utils._rebuild_tensor_v3",
        "torch._utils._rebuild_device_tensor_from_numpy", "torch.serialization._get_layout",
    ]

    /// Element types by the name of PyTorch's class for a run of them.
    private static let elementTypes: [String: ElementType] = [
        "Double": .float64, "Float": .float32, "Half": .float16, "BFloat16": .bfloat16, "Long": .int64, "Int": .int32, "Short": .int16,
        "Char": .int8, "Byte": .uint8, "Bool": .bool,
    ]
}

extension String {
    /// `Float` of `torch.FloatStorage`, or of `torch.cuda.FloatStorage` as old files say; nil for other names.
    fileprivate var storageName: String? {
        let names = split(separator: ".")
        guard names.count >= 2, names.count <= 3, names[0] == "torch", names.count == 2 || ["cuda", "storage"].contains(names[1]),
            names.last!.hasSuffix("Storage")
        else { return nil }
        return String(names.last!.dropLast(7))
    }

    /// `torch.float32` and the like.
    fileprivate var isElementType: Bool {
        let kinds = ["float", "int", "uint", "bfloat16", "bool", "half", "double", "long", "complex", "qint", "quint"]
        let member = dropFirst("torch.".count)
        return hasPrefix("torch.") && kinds.contains(where: member.hasPrefix)
            && member.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x5f }
    }
}
