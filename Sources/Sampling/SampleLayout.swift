/// The type of an array's elements.
public enum ElementKind: UInt32, Sendable {
    case uint8 = 1
    case int32 = 2
    case float32 = 3

    public var byteCount: Int { self == .uint8 ? 1 : 4 }
}

/// One named array of a sample: what it is and where it lies.
public struct SampleArray: Equatable, Sendable {
    public var name: String
    public var kind: ElementKind
    public var shape: [Int]
    /// First byte, counted from the sample's.
    public var offset: Int

    public var byteCount: Int { shape.reduce(kind.byteCount, *) }
}

/// Where the parts of a sample lie in its block of bytes.
///
///     0                  header, 64 bytes
///     64                 table, 64 bytes an array
///     …                  arrays, each at a multiple of 64 bytes
///     …                  path of the video, UTF-8, to the end
public struct SampleLayout: Equatable, Sendable {
    public let arrays: [SampleArray]
    /// First byte of the path.
    public let pathOffset: Int
    /// Zeros that every mask holds; nil where nothing is known of that.
    let visiblePatchCount: Int?

    static let magic: UInt32 = 0x534E_4454  // "TDNS"
    static let version: UInt16 = 1
    static let headerByteCount = 64
    static let entryByteCount = 64
    static let nameByteCount = 16
    static let mostArrays = 64
    static let mostDimensions = 6
    /// Bytes of the longest path that a sample can name.
    public static let mostPathBytes = 4096

    /// Lays named arrays one after another.
    public init(_ arrays: [(name: String, kind: ElementKind, shape: [Int])], visiblePatchCount: Int? = nil) {
        precondition(arrays.count <= Self.mostArrays)
        var offset = Self.headerByteCount + Self.entryByteCount * arrays.count
        self.arrays = arrays.map { array in
            precondition(array.name.utf8.count <= Self.nameByteCount && array.shape.count <= Self.mostDimensions)
            let placed = SampleArray(name: array.name, kind: array.kind, shape: array.shape, offset: offset)
            offset += (placed.byteCount + 63) / 64 * 64
            return placed
        }
        pathOffset = offset
        self.visiblePatchCount = visiblePatchCount
    }

    /// The arrays of a frame pair: `frames` u8 (2, S, S, 3), `mask` u8 (N) of the second frame, `views` i32 (2, 7): tick, frame, x, y,
    /// width, height, flip; and, where the first frame is masked too, its `mask1` u8 (N).
    public init(for recipe: Recipe) {
        let size = recipe.imageSize
        let pastMask: [(String, ElementKind, [Int])] = recipe.maskedFrames == .symmetric ? [("mask1", .uint8, [recipe.patchCount])] : []
        self.init(
            [("frames", .uint8, [2, size, size, 3]), ("mask", .uint8, [recipe.patchCount]), ("views", .int32, [2, View.fieldCount])]
                + pastMask, visiblePatchCount: recipe.visiblePatchCount)
    }

    /// Bytes of a whole sample.
    public func byteCount(path: String) -> Int { byteCount(pathByteCount: path.utf8.count) }

    /// Bytes of a whole sample whose path is this long.
    public func byteCount(pathByteCount: Int) -> Int { pathOffset + pathByteCount }

    public subscript(name: String) -> SampleArray {
        guard let array = arrays.first(where: { $0.name == name }) else { preconditionFailure("no array is called \(name)") }
        return array
    }
}

extension View {
    /// Numbers that describe a view in the array `views`.
    public static let fieldCount = 7

    /// The view as numbers: tick, frame, x, y, width, height, flip.
    public var fields: [Int32] {
        [tick, frame, box.x, box.y, box.width, box.height, isFlipped ? 1 : 0].map(Int32.init)
    }

    /// - Parameter fields: ``fieldCount`` numbers.
    public init(fields: [Int32]) {
        let numbers = fields.map(Int.init)
        self.init(
            tick: numbers[0], frame: numbers[1], box: CropBox(x: numbers[2], y: numbers[3], width: numbers[4], height: numbers[5]),
            isFlipped: numbers[6] != 0)
    }
}
