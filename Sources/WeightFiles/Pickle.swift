import Foundation

/// The values that a Python pickle describes, as far as files of weights hold them: plain containers, numbers, texts and tensors.
///
/// Nothing is ever called or imported: see ``Unpickler``. Containers are numbered nodes in a flat list, so that neither cycles nor a nesting
/// a million deep cost more than the bytes that describe them.
struct Pickle {
    /// One value.
    enum Value {
        case none
        case bool(Bool)
        case integer(Int)
        case float(Double)
        case text(String)
        case bytes(Data)
        /// A list, tuple, set or dictionary: an index of `nodes`.
        case node(Int)
        indirect case tensor(Tensor)
        indirect case storage(Storage)
        /// The name of a class or function; it is never looked up.
        case global(String)
        /// An object of a class that is known to hold settings and no weights; its content is dropped.
        case inert(String)
    }

    /// A container.
    enum Node {
        case list([Value])
        case tuple([Value])
        case dictionary([(key: Value, value: Value)])
    }

    /// A run of elements that tensors are views of.
    struct Storage {
        /// Its name in the file.
        let key: String
        /// nil for a type that cannot be read as numbers.
        let type: ElementType?
        /// PyTorch's name of the type.
        let typeName: String
        /// Number of elements.
        let count: Int
    }

    /// A view of a storage that has been checked to lie within it.
    struct Tensor {
        var storage: Storage
        let view: StridedView
        /// Whether the numbers are those of the storage with the other sign (`torch.Tensor.is_neg`).
        var isNegated = false

        /// A tensor whose elements are not to be had, for a reason that stands in place of its type.
        static func unreadable(_ typeName: String, shape: [Int]) -> Tensor? {
            let view = StridedView(shape: shape, strides: shape.map { _ in 0 }, offset: 0, within: 1)
            return view.map { Tensor(storage: Storage(key: "", type: nil, typeName: typeName, count: 0), view: $0) }
        }
    }

    /// The containers.
    var nodes: [Node] = []
    /// The value that was pickled.
    var root = Value.none
    /// The first name that means neither a tensor, nor a plain container, nor settings: a reason to refuse the file.
    var unknownClass: String?

    /// The members of a dictionary, nil for another value.
    func members(_ value: Value) -> [(key: Value, value: Value)]? {
        guard case .node(let index) = value, case .dictionary(let members) = nodes[index] else { return nil }
        return members
    }

    /// The elements of a list or tuple, nil for another value.
    func elements(_ value: Value) -> [Value]? {
        guard case .node(let index) = value else { return nil }
        switch nodes[index] {
        case .list(let elements), .tuple(let elements): return elements
        case .dictionary: return nil
        }
    }

    /// The whole numbers of a list or tuple, nil where it holds anything else or more of them than a tensor has dimensions.
    func integers(_ value: Value) -> [Int]? {
        guard let elements = elements(value), elements.count <= 64 else { return nil }
        var numbers: [Int] = []
        for case .integer(let number) in elements { numbers.append(number) }
        return numbers.count == elements.count ? numbers : nil
    }
}
