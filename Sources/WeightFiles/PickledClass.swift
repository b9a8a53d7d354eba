/// What the names in a pickle mean to ``Unpickler``; a name that is not here is refused.
enum PickledClass {
    /// A dictionary.
    case dictionary
    /// A list, set or tuple that is made from one.
    case collection
    /// A tensor over a storage: `(storage, offset, shape, strides, requires gradient, hooks, metadata)`, the last ones optional.
    case tensor
    /// A tensor over bytes: the same with the element type before the metadata.
    case untypedTensor
    /// What is a tensor to us: its first argument.
    case parameter
    /// A tensor with attributes: `(function, class, arguments, attributes)`.
    case tensorWithState
    /// A tensor of a kind that is not read, and which of its arguments is its shape.
    case unreadableTensor(kind: String, shapeArgument: Int?)
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
        "torch._utils._rebuild_tensor_v3": .untypedTensor, "torch._tensor._rebuild_from_type_v2": .tensorWithState,
        "torch._utils._rebuild_parameter": .parameter, "torch._utils._rebuild_parameter_with_state": .parameter,
        "torch._utils._rebuild_device_tensor_from_cpu_tensor": .parameter,
        "torch._utils._rebuild_qtensor": .unreadableTensor(kind: "a quantized tensor", shapeArgument: 2),
        "torch._utils._rebuild_sparse_tensor": .unreadableTensor(kind: "a sparse tensor", shapeArgument: nil),
        "torch._utils._rebuild_nested_tensor": .unreadableTensor(kind: "a nested tensor", shapeArgument: nil),
        "torch._utils._rebuild_meta_tensor_no_storage": .unreadableTensor(kind: "a meta tensor without numbers", shapeArgument: 1),
        "torch._utils._rebuild_wrapper_subclass": .unreadableTensor(kind: "a tensor of a class of its own", shapeArgument: 2),
        "torch._utils._rebuild_device_tensor_from_numpy": .unreadableTensor(kind: "a NumPy array", shapeArgument: nil),
        "numpy.core.multiarray._reconstruct": .unreadableTensor(kind: "a NumPy array", shapeArgument: nil),
        "numpy._core.multiarray._reconstruct": .unreadableTensor(kind: "a NumPy array", shapeArgument: nil),
    ]

    private static let inertNames: Set<String> = [
        "argparse.Namespace", "types.SimpleNamespace", "collections.Counter", "collections.defaultdict", "builtins.complex",
        "builtins.bytearray", "builtins.int", "builtins.float", "builtins.bool", "builtins.str", "datetime.datetime", "datetime.timedelta",
        "pathlib.Path", "pathlib.PosixPath", "pathlib.PurePosixPath", "pathlib.WindowsPath", "pathlib._local.PosixPath", "_codecs.encode",
        "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
        "torch.device", "torch.serialization._get_layout", "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer",
        "torch.per_tensor_affine", "torch.per_tensor_symmetric", "torch.per_channel_affine", "torch.per_channel_symmetric",
        "torch.per_channel_affine_float_qparams",
    ]

    /// Element types by the name of PyTorch's class for a run of them.
    private static let elementTypes: [String: ElementType] = [
        "Double": .float64, "Float": .float32, "Half": .float16, "BFloat16": .bfloat16, "Long": .int64, "Int": .int32, "Short": .int16,
        "Char": .int8, "Byte": .uint8, "Bool": .bool,
    ]
}

extension ElementType {
    /// How safetensors spells a type of PyTorch that has no class of storages, such as `torch.float8_e4m3fn`; its own name where it has none.
    static func safetensorsName(_ torchName: String) -> String {
        let names = [
            "torch.float8_e4m3fn": "F8_E4M3", "torch.float8_e5m2": "F8_E5M2", "torch.float8_e8m0fnu": "F8_E8M0",
            "torch.float8_e4m3fnuz": "F8_E4M3FNUZ", "torch.float8_e5m2fnuz": "F8_E5M2FNUZ", "torch.float4_e2m1fn_x2": "F4",
            "torch.uint16": "U16", "torch.uint32": "U32", "torch.uint64": "U64",
        ]
        return names[torchName] ?? torchName
    }
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
