import Base
import Foundation

/// Reads a Python pickle without running any of it.
///
/// A pickle is a program for a stack machine, and Python's own reader calls whatever function the program names: a file of weights can so
/// run code on whoever opens it. This reader knows the instructions that make plain containers, numbers and texts, and a fixed list of names
/// (``PickledClass``): those of tensors and dictionaries, which it builds itself, and of a few classes that training programs keep their
/// settings in, which it passes over. Any other instruction ends the reading with an error that says so. Any other name makes the file one
/// to refuse (``Pickle/unknownClass``); the rest of the pickle is read only for the place at which its object stands.
///
/// Memory is bounded by the length of the pickle, which is limited. Source: CPython's Lib/pickletools.py; torch/_weights_only_unpickler.py
/// for what PyTorch writes.
struct Unpickler {
    /// The longest pickle that is read: descriptions of weights take a hundred bytes a tensor.
    static let maximumLength = 4 << 20

    private var cursor: ByteCursor
    private let name: String
    private var pickle = Pickle()
    private var stack: [Pickle.Value] = []
    private var marks: [Int] = []
    private var memo: [Int: Pickle.Value] = [:]
    /// Elements that were copied from one container into another, which takes an instruction each time, whatever their number.
    private var copied = 0

    /// Reads one pickle.
    /// - Parameter name: what to call the file in messages.
    /// - Returns: what it describes, and the number of bytes that it took.
    static func read(_ bytes: Data, name: String) throws -> (pickle: Pickle, length: Int) {
        var unpickler = Unpickler(cursor: ByteCursor(bytes.prefix(maximumLength)), name: name)
        do {
            return (try unpickler.run(), unpickler.cursor.offset)
        } catch  where unpickler.pickle.unknownClass != nil {
            throw refusal(name, unpickler.pickle.unknownClass!, at: nil)
        } catch is ByteCursor.CutOff {
            throw unpickler.refusal(
                bytes.count > maximumLength
                    ? "its description is longer than \(maximumLength >> 20) MiB"
                    : "its description is cut off; \(ForeignFile.again)")
        }
    }

    /// Why a file is not read that asks for a name of no tensor, plain container or settings.
    /// - Parameter place: the object's path in the file; "" for the top, nil where it is not among what the file holds.
    static func refusal(_ file: String, _ unknown: String, at place: String?) -> Failure {
        let place = place.map { $0.isEmpty ? " at its top" : " at '\($0.prefix(100).onOneLine)'" } ?? ""
        return Failure(
            "\(file) cannot be read as PyTorch weights: it asks for '\(unknown.prefix(100).onOneLine)'\(place), which is neither a tensor nor a"
                + " plain container, and could run code; nothing was run. If you trust the file, load it in Python and save its weights"
                + " alone: torch.save(model.state_dict(), 'weights.pth')")
    }

    private init(cursor: ByteCursor, name: String) {
        self.cursor = cursor
        self.name = name
    }

    private func refusal(_ why: String) -> Failure { Failure("\(name) cannot be read as PyTorch weights: \(why)") }

    private mutating func run() throws -> Pickle {
        while true {
            let code = try cursor.read(UInt8.self)
            guard let instruction = Instruction(rawValue: code) else {
                throw refusal(
                    "its description holds the instruction \(code) at byte \(cursor.offset - 1), which weights do not need; load it in"
                        + " Python and save its weights alone with torch.save")
            }
            if instruction == .stop { break }
            try execute(instruction)
        }
        pickle.root = try pop()
        return pickle
    }

    private mutating func execute(_ instruction: Instruction) throws {
        switch instruction {
        case .stop: break
        case .protocol: try cursor.skip(1)
        case .frame: try cursor.skip(8)
        case .mark: marks.append(stack.count)
        case .pop: try popOrUnmark()
        case .popMark: _ = try popToMark()
        case .duplicate:
            let top = try pop()
            stack += [top, top]
        case .none: stack.append(.none)
        case .true: stack.append(.bool(true))
        case .false: stack.append(.bool(false))
        case .int4: stack.append(.integer(Int(try cursor.read(Int32.self))))
        case .int1: stack.append(.integer(Int(try cursor.read(UInt8.self))))
        case .int2: stack.append(.integer(Int(try cursor.read(UInt16.self))))
        case .long1: stack.append(try long(count: Int(cursor.read(UInt8.self))))
        case .float: stack.append(.float(Double(bitPattern: try cursor.read(UInt64.self).byteSwapped)))
        case .text1: stack.append(try text(count: Int(cursor.read(UInt8.self))))
        case .text4, .string4: stack.append(try text(count: Int(cursor.read(UInt32.self))))
        case .text8: stack.append(try text(count: Int(clamping: cursor.read(UInt64.self))))
        case .string1: stack.append(try text(count: Int(cursor.read(UInt8.self))))
        case .bytes1: stack.append(.bytes(try cursor.read(count: Int(cursor.read(UInt8.self)))))
        case .bytes4: stack.append(.bytes(try cursor.read(count: Int(cursor.read(UInt32.self)))))
        case .emptyList, .emptySet: push(.list([]))
        case .emptyTuple: push(.tuple([]))
        case .emptyDictionary: push(.dictionary([]))
        case .list, .frozenSet: push(.list(try popToMark()))
        case .tuple: push(.tuple(try popToMark()))
        case .tuple1, .tuple2, .tuple3: push(.tuple(try pop(count: Int(instruction.rawValue - Instruction.tuple1.rawValue) + 1)))
        case .dictionary: push(.dictionary(try pairs(popToMark())))
        case .append: try extend([pop()])
        case .appends, .addItems: try extend(popToMark())
        case .setItem: try setItems(pop(count: 2))
        case .setItems: try setItems(popToMark())
        case .put1: memo[Int(try cursor.read(UInt8.self))] = try top()
        case .put4: memo[Int(try cursor.read(UInt32.self))] = try top()
        case .memoize: memo[memo.count] = try top()
        case .get1: try recall(Int(cursor.read(UInt8.self)))
        case .get4: try recall(Int(cursor.read(UInt32.self)))
        case .global: try pushGlobal(line(), line())
        case .stackGlobal:
            guard case .text(let member) = try pop(), case .text(let module) = try pop() else { throw malformed() }
            try pushGlobal(module, member)
        case .newObject, .reduce: try construct()
        case .build: _ = try pop()  // attributes, such as a state dict's `_metadata`: no weights among them
        case .persistentID: try pushStorage()
        }
    }

    private func malformed() -> Failure { refusal("its description is malformed at byte \(cursor.offset - 1); \(ForeignFile.again)") }

    // MARK: The stack

    private mutating func push(_ node: Pickle.Node) { stack.append(self.node(node)) }

    private mutating func node(_ node: Pickle.Node) -> Pickle.Value {
        pickle.nodes.append(node)
        return .node(pickle.nodes.count - 1)
    }

    private func top() throws -> Pickle.Value {
        guard let last = stack.last, stack.count > marks.last ?? 0 else { throw malformed() }
        return last
    }

    private mutating func pop() throws -> Pickle.Value {
        let last = try top()
        stack.removeLast()
        return last
    }

    private mutating func pop(count: Int) throws -> [Pickle.Value] {
        guard stack.count - (marks.last ?? 0) >= count else { throw malformed() }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws -> [Pickle.Value] {
        guard let mark = marks.popLast() else { throw malformed() }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    /// Python lets the same instruction take back a mark that nothing lies on.
    private mutating func popOrUnmark() throws {
        if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    }

    private mutating func recall(_ index: Int) throws {
        guard let value = memo[index] else { throw malformed() }
        stack.append(value)
    }

    // MARK: Values

    /// A whole number of any length; longer ones than 64 bits are not needed for weights.
    private mutating func long(count: Int) throws -> Pickle.Value {
        let digits = try cursor.read(count: count)
        guard count <= 8 else { return .inert("int") }
        let isNegative = digits.last.map { $0 >= 0x80 } ?? false
        return .integer(digits.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
    }

    private mutating func text(count: Int) throws -> Pickle.Value {
        .text(String(decoding: try cursor.read(count: count), as: UTF8.self))
    }

    private mutating func line() throws -> String { String(decoding: try cursor.readLine(), as: UTF8.self) }

    private func pairs(_ values: [Pickle.Value]) throws -> [(key: Pickle.Value, value: Pickle.Value)] {
        guard values.count % 2 == 0 else { throw malformed() }
        return stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
    }

    private mutating func extend(_ values: [Pickle.Value]) throws {
        switch try top() {
        case .inert: break
        case .node(let index):
            guard case .list(var elements) = pickle.nodes[index] else { throw malformed() }
            pickle.nodes[index] = .list([])  // else the append would copy all elements
            elements += values
            pickle.nodes[index] = .list(elements)
        default: throw malformed()
        }
    }

    private mutating func setItems(_ values: [Pickle.Value]) throws {
        switch try top() {
        case .inert: break
        case .node(let index):
            guard case .dictionary(var members) = pickle.nodes[index] else { throw malformed() }
            pickle.nodes[index] = .dictionary([])
            members += try pairs(values)
            pickle.nodes[index] = .dictionary(members)
        default: throw malformed()
        }
    }

    // MARK: Names

    private mutating func pushGlobal(_ module: String, _ member: String) throws {
        let full = "\(module).\(member)"
        if PickledClass(full) == nil, pickle.unknownClass == nil { pickle.unknownClass = full }
        stack.append(.global(full))
    }

    /// Makes the object that the topmost two values, a name and its arguments, describe.
    private mutating func construct() throws {
        let argumentTuple = try pop()
        stack.append(try object(of: try pop(), argumentTuple))
    }

    /// - Parameter depth: how often a function may still be the argument of another.
    private mutating func object(of callee: Pickle.Value, _ argumentTuple: Pickle.Value, depth: Int = 8) throws -> Pickle.Value {
        if case .inert = callee { return callee }
        guard case .global(let name) = callee, let arguments = pickle.elements(argumentTuple), depth > 0 else { throw malformed() }
        guard let kind = PickledClass(name) else { return .inert(name) }
        switch kind {
        case .dictionary: return node(.dictionary(try items(arguments)))
        case .collection: return arguments.first ?? node(.list([]))
        case .tensor: return .tensor(try tensor(arguments))
        case .untypedTensor: return .tensor(try untypedTensor(arguments))
        case .tensorWithState:
            guard arguments.count == 4 else { throw malformed() }
            return try object(of: arguments[0], arguments[2], depth: depth - 1)
        case .unreadableTensor(let kind, let shapeArgument):
            let shape = shapeArgument.flatMap { $0 < arguments.count ? pickle.integers(arguments[$0]) : nil }
            guard let tensor = Pickle.Tensor.unreadable(kind, shape: shape ?? []) else { throw malformed() }
            return .tensor(tensor)
        case .parameter:
            guard let first = arguments.first else { throw malformed() }
            return first
        case .inert: return .inert(name)
        case .storage: throw malformed()
        }
    }

    /// The members of a dictionary that is made from a list of pairs, from another dictionary, or from nothing.
    private mutating func items(_ arguments: [Pickle.Value]) throws -> [(key: Pickle.Value, value: Pickle.Value)] {
        guard let first = arguments.first else { return [] }
        let members = pickle.members(first)
        let list = pickle.elements(first)
        copied += members?.count ?? list?.count ?? 0
        guard copied <= Self.maximumLength else { throw refusal("it copies containers over and over, which weights do not need") }
        if let members { return members }
        guard let list else { throw malformed() }
        return try list.map { pair in
            guard let both = pickle.elements(pair), both.count == 2 else { throw malformed() }
            return (both[0], both[1])
        }
    }

    /// `('storage', type, key, device, count)` stands for the elements that the file holds under `key`.
    private mutating func pushStorage() throws {
        guard let fields = pickle.elements(try pop()), fields.count >= 5, case .text("storage") = fields[0],
            case .global(let typeName) = fields[1], case .storage(let type) = PickledClass(typeName), case .text(let key) = fields[2],
            case .integer(let count) = fields[4], count >= 0
        else { throw malformed() }
        if let view = fields.dropFirst(5).first, case .none = view {
        } else if fields.count > 5 {
            throw refusal("it holds a view of a storage, as PyTorch 0.3 wrote them; open it in PyTorch and save it again")
        }
        stack.append(.storage(.init(key: key, type: type, typeName: typeName, count: count)))
    }

    /// `(storage, offset, shape, strides, requires gradient, hooks, metadata)`, of which old files have the first four.
    private func tensor(_ arguments: [Pickle.Value]) throws -> Pickle.Tensor {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0], case .integer(let offset) = arguments[1],
            let shape = pickle.integers(arguments[2]), let strides = pickle.integers(arguments[3])
        else { throw malformed() }
        guard let view = StridedView(shape: shape, strides: strides, offset: offset, within: storage.count) else {
            throw refusal("a tensor of the shape \(shape) lies beyond its storage of \(storage.count) elements")
        }
        var tensor = Pickle.Tensor(storage: storage, view: view)
        var obstacle: String?
        // A stride of zero repeats elements: a few bytes could ask for any amount of memory.
        if view.count > max(storage.count, 1 << 20) { obstacle = "that repeats \(storage.count) elements \(view.count) times" }
        let metadata = arguments.count > 6 ? arguments[6] : .none
        if case .none = metadata {
        } else {
            guard let members = pickle.members(metadata) else { throw malformed() }
            for (key, value) in members {
                guard case .text(let key) = key else { throw malformed() }
                if case .bool(false) = value { continue }
                if key == "neg", storage.type?.isFloatingPoint == true {
                    tensor.isNegated = true
                } else {
                    obstacle = "with the metadata '\(key)'"
                }
            }
        }
        guard let obstacle else { return tensor }
        let typeName = storage.type?.rawValue ?? storage.typeName
        tensor.storage = .init(key: storage.key, type: nil, typeName: "\(typeName) \(obstacle)", count: storage.count)
        return tensor
    }

    /// The same with an element type before the metadata, over a storage that is counted in bytes: of types that cannot be read.
    private func untypedTensor(_ arguments: [Pickle.Value]) throws -> Pickle.Tensor {
        guard arguments.count >= 7, case .global(let type) = arguments[6] else { throw malformed() }
        var tensor = try tensor(Array(arguments.prefix(6)))
        tensor.storage = .init(
            key: tensor.storage.key, type: nil, typeName: ElementType.safetensorsName(type), count: tensor.storage.count)
        return tensor
    }
}
