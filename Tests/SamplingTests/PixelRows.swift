import Foundation
import TestSupport

/// Packed RGB as tests handle it: what happens to a picture before its colours change, by the plainest rules.
struct PixelRows: Equatable {
    var height, width: Int
    var bytes: [UInt8]

    /// Mirrored, left to right.
    var mirrored: PixelRows {
        var mirrored = self
        for y in 0..<height {
            for x in 0..<width * 3 { mirrored.bytes[y * width * 3 + x] = bytes[(y * width + width - 1 - x / 3) * 3 + x % 3] }
        }
        return mirrored
    }

    private var transposed: PixelRows {
        var transposed = PixelRows(height: width, width: height, bytes: bytes)
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<3 { transposed.bytes[(x * height + y) * 3 + channel] = bytes[(y * width + x) * 3 + channel] }
            }
        }
        return transposed
    }

    /// A part, resized to a square as Pillow does it: bicubic with A = -0.5, smoothed where it shrinks, rows before columns.
    func cropped(top: Int, left: Int, height: Int, width: Int, size: Int) -> PixelRows {
        let part = PixelRows(
            height: height, width: width,
            bytes: (top..<top + height).flatMap { row in
                let first = (row * self.width + left) * 3
                return bytes[first..<first + width * 3]
            })
        return part.rowsResized(to: size).transposed.rowsResized(to: size).transposed
    }

    private func rowsResized(to size: Int) -> PixelRows {
        guard width != size else { return self }
        let scale = Double(width) / Double(size), widening = max(scale, 1), support = 2 * widening
        func weight(_ distance: Double) -> Double {
            let d = abs(distance)
            return d < 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? (((d - 5) * d + 8) * d - 4) * -0.5 : 0
        }
        var resized = PixelRows(height: height, width: size, bytes: [UInt8](repeating: 0, count: height * size * 3))
        for x in 0..<size {
            let center = (Double(x) + 0.5) * scale
            let samples = max(Int(center - support + 0.5), 0)..<min(Int(center + support + 0.5), width)
            let weights = samples.map { weight((Double($0) - center + 0.5) / widening) }
            let sum = weights.reduce(0, +)
            let fixed = weights.map { Int(($0 / sum * 0x1p22).rounded(.toNearestOrAwayFromZero)) }
            for y in 0..<height {
                for channel in 0..<3 {
                    let total = zip(samples, fixed).reduce(1 << 21) { $0 + Int(bytes[(y * width + $1.0) * 3 + channel]) * $1.1 }
                    resized.bytes[(y * size + x) * 3 + channel] = UInt8(min(255, max(0, total >> 22)))
                }
            }
        }
        return resized
    }

    /// The bytes of an array of a safetensors file.
    init(_ key: String, in path: String) throws {
        struct Entry: Decodable {
            var shape, offsets: [Int]?
            enum CodingKeys: String, CodingKey {
                case shape
                case offsets = "data_offsets"
            }
        }
        let file = try Data(contentsOf: URL(fileURLWithPath: path))
        let headerSize = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let entries = try JSONDecoder().decode([String: Entry].self, from: file[8..<8 + headerSize])
        guard let shape = entries[key]?.shape, let offsets = entries[key]?.offsets else { throw CocoaError(.coderValueNotFound) }
        let start = 8 + headerSize
        self.init(height: shape[0], width: shape[1], bytes: Array(file[start + offsets[0]..<start + offsets[1]]))
    }

    init(height: Int, width: Int, bytes: [UInt8]) { (self.height, self.width, self.bytes) = (height, width, bytes) }
}
