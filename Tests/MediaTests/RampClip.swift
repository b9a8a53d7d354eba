import Foundation
import Media
import Sampling

/// A clip whose red is a ramp along x and whose green is one along y: what a crop must show follows from where it lies.
enum RampClip {
    static let (width, height) = (192, 128)

    /// Writes the clip.
    ///
    /// - Parameters:
    ///   - width: pixels of the ramps' beginning that it shows.
    ///   - matrix: a display matrix for its track header.
    ///   - aspect: width and height of a pixel, for its sample description.
    static func write(_ path: String, width: Int = width, matrix: [Int32]? = nil, aspect: (Int32, Int32)? = nil) throws {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width { pixels += [red(Double(x)), green(Double(y)), 128].map { UInt8($0) } }
        }
        var writer = try VideoWriter(
            path: path, width: width, height: height, framesPerSecond: Rational(25, 1), options: .init(constantRateFactor: 1))
        for _ in 0..<4 { try pixels.withUnsafeBytes { try writer.write(rgb: $0) } }
        try writer.finish()
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        // ISO 14496-12, 8.3.2: in version 0 the matrix follows 40 bytes of other fields; 12.1.4: spacing is the whole of its box.
        if let matrix { data.replace(after: "tkhd", skipping: 40, with: matrix) }
        if let aspect { data.replace(after: "pasp", with: [aspect.0, aspect.1]) }
        try data.write(to: URL(fileURLWithPath: path))
    }

    static func red(_ x: Double) -> Double { 30 + x }
    static func green(_ y: Double) -> Double { 40 + y * 1.25 }

    /// The largest difference between a crop and what `expected` says, over pixels that the border does not touch.
    static func worst(_ pixels: [UInt8], size: Int, expected: (_ x: Double, _ y: Double) -> (red: Double, green: Double)) -> Double {
        var worst = 0.0
        for y in 3..<size - 3 {
            for x in 3..<size - 3 {
                let colour = expected((Double(x) + 0.5) / Double(size), (Double(y) + 0.5) / Double(size))
                let p = (y * size + x) * 3
                worst = max(worst, abs(Double(pixels[p]) - colour.red), abs(Double(pixels[p + 1]) - colour.green))
            }
        }
        return worst
    }
}

/// Reads one crop of a clip's second frame; the whole picture where no box is given.
func readCrop(_ path: String, _ box: CropBox? = nil, size: Int, isFlipped: Bool = false) throws -> [UInt8] {
    let record = try VideoRecord(inspecting: path, in: "")
    let reader = try VideoReader(path: path, record: record)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size * size * 3, alignment: 64)
    defer { memory.deallocate() }
    let box = box ?? CropBox(x: 0, y: 0, width: record.width, height: record.height)
    try reader.read([PictureRequest(frame: 1, box: box, isFlipped: isFlipped, size: size)]) { _ in memory }
    return [UInt8](memory)
}

extension Data {
    /// Writes numbers, their high bytes first, over those that a box holds.
    fileprivate mutating func replace(after name: String, skipping count: Int = 0, with numbers: [Int32]) {
        let start = range(of: Data(name.utf8))!.upperBound + count
        let bytes = numbers.flatMap { number in stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) } }
        replaceSubrange(start..<start + bytes.count, with: bytes)
    }
}
