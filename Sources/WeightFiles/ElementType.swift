import Base

/// The type of an array's elements in a file of weights, spelled as safetensors spells it.
public enum ElementType: String, CaseIterable, Sendable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint8 = "U8"
    case bool = "BOOL"

    /// Bytes per element.
    public var size: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .float16, .bfloat16, .int16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    var isFloatingPoint: Bool {
        switch self {
        case .float64, .float32, .float16, .bfloat16: true
        case .int64, .int32, .int16, .int8, .uint8, .bool: false
        }
    }

    /// The bits of an element of any type that safetensors (0.8) has; nil for another name.
    static func bits(_ typeName: String) -> Int? { ElementType(rawValue: typeName).map { $0.size * 8 } ?? bitsOfOthers[typeName] }

    /// Types that cannot be read as numbers here.
    private static let bitsOfOthers = [
        "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "U16": 16,
        "U32": 32, "U64": 64, "C64": 64,
    ]

    /// The refusal to read an array of such a type, or whatever else stands for its type.
    static func refusal(of key: String, in file: String, holding typeName: String) -> Failure {
        Failure(
            "'\(key.onOneLine)' in \(file) holds \(typeName.onOneLine), which cannot be read as numbers here; make it a plain float32 tensor in"
                + " PyTorch and save it again")
    }

    /// The elements that `view` selects from little-endian `bytes`, row by row, rounded to f32.
    ///
    /// The view must have been checked to lie within the bytes.
    func floats(_ bytes: UnsafeRawBufferPointer, _ view: StridedView) -> [Float] {
        switch self {
        case .float64: gather(bytes, view) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
        case .float32: gather(bytes, view) { Float(bitPattern: UInt32(littleEndian: $0)) }
        case .float16: gather(bytes, view) { Float(Float16(bitPattern: UInt16(littleEndian: $0))) }
        case .bfloat16: gather(bytes, view) { Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16) }
        case .int64: gather(bytes, view) { Float(Int64(littleEndian: $0)) }
        case .int32: gather(bytes, view) { Float(Int32(littleEndian: $0)) }
        case .int16: gather(bytes, view) { Float(Int16(littleEndian: $0)) }
        case .int8: gather(bytes, view) { (element: Int8) in Float(element) }
        case .uint8: gather(bytes, view) { (element: UInt8) in Float(element) }
        case .bool: gather(bytes, view) { (element: UInt8) in element == 0 ? 0 : 1 }
        }
    }
}

/// Which elements of a run of memory make an array, as PyTorch describes its tensors: transposed and cut ones need not be contiguous.
struct StridedView: Equatable, Sendable {
    /// Sizes of the dimensions, slowest first.
    let shape: [Int]
    /// Elements from one index of a dimension to the next.
    let strides: [Int]
    /// The element that index 0 of every dimension means.
    let offset: Int

    /// Number of elements of the array.
    let count: Int

    /// A view that lies within `available` elements, nil where it does not; no arithmetic overflows whatever the numbers are.
    init?(shape: [Int], strides: [Int], offset: Int, within available: Int) {
        guard shape.count == strides.count, offset >= 0, (shape + strides).allSatisfy({ $0 >= 0 }) else { return nil }
        var (count, last) = (1, offset)
        for (extent, stride) in zip(shape, strides) {
            let (product, overflows) = count.multipliedReportingOverflow(by: extent)
            let (reach, reachOverflows) = max(0, extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, sumOverflows) = last.addingReportingOverflow(reach)
            guard !overflows, !reachOverflows, !sumOverflows else { return nil }
            (count, last) = (product, sum)
        }
        guard count == 0 || last < available else { return nil }
        self.shape = shape
        self.strides = strides
        self.offset = offset
        self.count = count
    }

    /// `shape` elements without gaps from the first on.
    init(contiguous shape: [Int]) {
        self.shape = shape
        strides = Self.contiguousStrides(shape)
        offset = 0
        count = shape.reduce(1, *)
    }

    var isContiguous: Bool { strides == Self.contiguousStrides(shape) }

    private static func contiguousStrides(_ shape: [Int]) -> [Int] {
        var stride = 1
        return shape.reversed().map { extent in
            defer { stride &*= max(1, extent) }  // hostile extents beside one of 0 may overflow, to no effect
            return stride
        }.reversed()
    }
}

/// Reads a view's elements in order, each through `convert`.
private func gather<Stored: BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, _ view: StridedView, _ convert: (Stored) -> Float
) -> [Float] {
    let size = MemoryLayout<Stored>.size
    // Contiguous elements are one row, however many dimensions they have.
    let shape = view.isContiguous ? [view.count] : view.shape
    let strides = view.isContiguous ? [1] : view.strides
    let (columns, columnStride) = (shape.last ?? 1, (strides.last ?? 1) * size)
    return [Float](unsafeUninitializedCapacity: view.count) { elements, filled in
        var index = [Int](repeating: 0, count: max(0, shape.count - 1))
        while filled < view.count {
            let row = (view.offset + zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }) * size
            for column in 0..<columns {
                let stored = bytes.loadUnaligned(fromByteOffset: row + column * columnStride, as: Stored.self)
                elements.initializeElement(at: filled + column, to: convert(stored))
            }
            filled += columns
            for dimension in index.indices.reversed() {
                index[dimension] += 1
                if index[dimension] < shape[dimension] { break }
                index[dimension] = 0
            }
        }
    }
}
