/// The type of an array's elements.
public enum ElementKind: UInt32, Sendable {
    case uint8 = 1
    case int32 = 2
    case float32 = 3

    /// Bytes of one element.
    public var byteCount: Int { self == .uint8 ? 1 : 4 }
}

/// One named array of a sample: what it is and where it lies.
public struct SampleArray: Equatable, Sendable {
    /// UTF-8 of at most 16 bytes.
    public var name: String
    public var kind: ElementKind
    /// Lengths of the dimensions, at most six, the last of which runs fastest.
    public var shape: [Int]
    /// First byte, counted from the sample's.
    public var offset: Int

    /// Bytes of all elements, without those that fill the place up to the next array.
    public var byteCount: Int { shape.reduce(kind.byteCount, *) }

    /// Whether it holds pictures: `[pictures, height, width, 3]` bytes.
    public var isPictures: Bool { kind == .uint8 && shape.count == 4 && shape[3] == 3 }

    /// Whether it is a mask: a byte for each patch, 1 where it is hidden.
    var isMask: Bool { kind == .uint8 && shape.count == 1 }
}

/// An array that a sampler's samples have.
public struct ArrayDeclaration: Equatable, Sendable {
    /// UTF-8 of at most 16 bytes.
    public var name: String
    public var kind: ElementKind
    /// Lengths of the dimensions, at most six, the last of which runs fastest.
    public var shape: [Int]
    /// How many zeros it may hold, of a mask: its visible patches. Nil: it is no mask.
    public var zeros: ClosedRange<Int>?

    public init(_ name: String, _ kind: ElementKind, _ shape: [Int], zeros: ClosedRange<Int>? = nil) {
        self.name = name
        self.kind = kind
        self.shape = shape
        self.zeros = zeros
    }

    /// A mask that leaves as many patches visible in every sample.
    public init(_ name: String, _ kind: ElementKind, _ shape: [Int], zeros: Int) { self.init(name, kind, shape, zeros: zeros...zeros) }
}

/// Where the parts of a sample lie in its block of bytes.
///
///     0                  header, 64 bytes
///     64                 table, 64 bytes an array
///     …                  arrays, each at a multiple of 64 bytes
///     …                  path of the video and its label, UTF-8, to the end
public struct SampleLayout: Equatable, Sendable {
    /// The arrays in the order of their places.
    public let arrays: [SampleArray]
    /// First byte of the path.
    public let pathOffset: Int
    /// Of each array, how many zeros it may hold; nil where it is no mask.
    let zeros: [ClosedRange<Int>?]
    static let magic: UInt32 = 0x534E_4454  // "TDNS"
    static let version: UInt16 = 1
    static let headerByteCount = 64
    static let entryByteCount = 64
    static let nameByteCount = 16
    static let maximumArrays = 64
    static let maximumDimensions = 6
    /// Bytes of the longest path and label that a sample can name.
    public static let maximumPathBytes = 4096 + VideoRecord.maximumLabelBytes

    /// Lays arrays one after another.
    public init(_ declarations: [ArrayDeclaration]) {
        precondition(declarations.count <= Self.maximumArrays)
        var offset = Self.headerByteCount + Self.entryByteCount * declarations.count
        arrays = declarations.map { array in
            precondition(array.name.utf8.count <= Self.nameByteCount && array.shape.count <= Self.maximumDimensions)
            let placed = SampleArray(name: array.name, kind: array.kind, shape: array.shape, offset: offset)
            offset += (placed.byteCount + 63) / 64 * 64
            return placed
        }
        pathOffset = offset
        zeros = declarations.map(\.zeros)
    }

    /// Bytes of a whole sample.
    public func byteCount(path: String, label: String = "") -> Int {
        byteCount(pathByteCount: path.utf8.count + label.utf8.count)
    }

    /// Bytes of a whole sample whose path and label are this long.
    public func byteCount(pathByteCount: Int) -> Int { pathOffset + pathByteCount }

    /// The array of a name, which must be one of ``arrays``.
    public subscript(name: String) -> SampleArray {
        guard let array = arrays.first(where: { $0.name == name }) else { preconditionFailure("no array is called \(name)") }
        return array
    }
}
