import CMatIO
import Files
import Foundation

/// A real numeric array out of a MATLAB file, or for one.
public struct MatArray: Equatable, Sendable {
    /// Length of each dimension, the fastest first.
    public let dimensions: [Int]
    /// The elements in MATLAB's order: the first dimension is the fastest.
    public let values: [Double]

    /// - Parameter values: as many as the product of the dimensions.
    public init(dimensions: [Int], values: [Double]) {
        precondition(values.count == dimensions.reduce(1, *), "\(values.count) values for an array of \(dimensions)")
        self.dimensions = dimensions
        self.values = values
    }
}

extension MatArray {
    private static let maximumBytes = 1 << 26
    private static let maximumElements = 1 << 22

    /// Reads a variable of a version 5 MAT file, compressed or not; integers and single precision become Double.
    ///
    /// The header, the class and the size are checked before any element is read. Throws where the file is missing, is none of version 5, is
    /// damaged, is above 64 MiB, or holds no real numeric array of that name.
    public init(_ name: String, of path: String) throws(MatError) {
        try Self.checkHeader(of: path)
        guard let file = Mat_Open(path, Int32(MAT_ACC_RDONLY.rawValue)) else { throw MatError(path, "this is no whole MAT file") }
        defer { Mat_Close(file) }
        guard let variable = Mat_VarReadInfo(file, name) else {
            throw MatError(path, "the file holds no variable '\(name)', or is damaged before it")
        }
        defer { Mat_VarFree(variable) }

        guard let read = Self.reader(of: variable.pointee.class_type), variable.pointee.isComplex == 0 else {
            throw MatError(path, "'\(name)' is no array of real numbers")
        }
        let rank = Int(variable.pointee.rank)
        guard (1...8).contains(rank), let lengths = variable.pointee.dims else { throw MatError(path, "'\(name)' has \(rank) dimensions") }
        var count = 1
        let dimensions = (0..<rank).map { Int(exactly: lengths[$0]) ?? .max }
        for length in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard !overflow, product <= Self.maximumElements else { throw MatError(path, "'\(name)' claims a size of \(dimensions)") }
            count = product
        }
        guard count > 0 else {
            self.init(dimensions: dimensions, values: [])
            return
        }
        guard Mat_VarReadDataAll(file, variable) == 0, let data = variable.pointee.data else {
            throw MatError(path, "the elements of '\(name)' are damaged or cut off")
        }
        guard variable.pointee.nbytes >= count * Int(variable.pointee.data_size), Int(variable.pointee.data_size) == read.size else {
            throw MatError(path, "'\(name)' holds \(variable.pointee.nbytes) bytes for \(count) elements")
        }
        self.init(dimensions: dimensions, values: read.values(data, count))
    }

    /// Writes a version 5 MAT file with this array alone, compressed, as MATLAB and SciPy read it; the file at `path` is whole at any time.
    public func write(_ name: String, to path: String) throws(MatError) {
        let partial = partialPath(of: path)
        guard let file = Mat_CreateVer(partial, "MATLAB 5.0 MAT-file, written by Tandem", MAT_FT_MAT5) else {
            throw MatError(path, "cannot be written: \(String(cString: strerror(errno)))")
        }
        var lengths = dimensions
        var elements = values
        let isWritten = lengths.withUnsafeMutableBytes { lengths in
            elements.withUnsafeMutableBytes { elements in
                let variable = Mat_VarCreate(
                    name, MAT_C_DOUBLE, MAT_T_DOUBLE, Int32(dimensions.count), lengths.baseAddress!.assumingMemoryBound(to: Int.self),
                    elements.baseAddress, Int32(MAT_F_DONT_COPY_DATA.rawValue))
                defer { Mat_VarFree(variable) }
                return Mat_VarWrite(file, variable, MAT_COMPRESSION_ZLIB) == 0
            }
        }
        guard Mat_Close(file) == 0, isWritten else {
            unlink(partial)
            throw MatError(path, "cannot be written; is the disk full?")
        }
        do { try keepPartial(of: path) } catch { throw MatError(path, "cannot be written: \(error.reason)") }
    }

    /// Anything but version 5 is kept from libmatio, which takes it for HDF5 or for version 4.
    private static func checkHeader(of path: String) throws(MatError) {
        guard let file = fopen(path, "rb") else { throw MatError(path, String(cString: strerror(errno))) }
        defer { fclose(file) }
        var header = [UInt8](repeating: 0, count: 128)
        guard fread(&header, 1, header.count, file) == header.count else { throw MatError(path, "this is no MAT file") }
        let (version, order) = (Array(header[124..<126]), String(decoding: header[126..<128], as: UTF8.self))
        guard order == "IM" && version == [0, 1] || order == "MI" && version == [1, 0] else {
            throw MatError(path, "this is no MAT file of version 5; MATLAB writes one with save(…, '-v7')")
        }
        guard fseek(file, 0, SEEK_END) == 0, (0...maximumBytes).contains(ftell(file)) else {
            throw MatError(path, "the file is above \(maximumBytes >> 20) MiB")
        }
    }

    /// How elements of a class lie in memory.
    private struct Reader {
        let size: Int
        let values: (UnsafeRawPointer, Int) -> [Double]

        init<Element>(_: Element.Type, _ convert: @escaping (Element) -> Double) {
            size = MemoryLayout<Element>.size
            values = { data, count in
                UnsafeBufferPointer(start: data.assumingMemoryBound(to: Element.self), count: count).map(convert)
            }
        }
    }

    private static func reader(of type: matio_classes) -> Reader? {
        switch type {
        case MAT_C_DOUBLE: Reader(Double.self) { $0 }
        case MAT_C_SINGLE: Reader(Float.self) { Double($0) }
        case MAT_C_INT8: Reader(Int8.self) { Double($0) }
        case MAT_C_UINT8: Reader(UInt8.self) { Double($0) }
        case MAT_C_INT16: Reader(Int16.self) { Double($0) }
        case MAT_C_UINT16: Reader(UInt16.self) { Double($0) }
        case MAT_C_INT32: Reader(Int32.self) { Double($0) }
        case MAT_C_UINT32: Reader(UInt32.self) { Double($0) }
        case MAT_C_INT64: Reader(Int64.self) { Double($0) }
        case MAT_C_UINT64: Reader(UInt64.self) { Double($0) }
        default: nil
        }
    }
}
