import Foundation

/// One frame's light, applied to one row of pixels after the other.
struct Lighting {
    private let table: [SIMD4<UInt16>]
    /// Position in the table of the centre of pixel (0, 0) and its steps, 16 fractional bits.
    private let origin: Int
    private let stepX: Int
    private let stepY: Int

    init(_ light: Light, time: Double, width: Int, height: Int) {
        table = light.table(time)
        let (across, down) = (cos(light.direction), sin(light.direction))
        let extent = abs(across) * Double(width) + abs(down) * Double(height)
        // Half an entry is left free at both ends, so that rounding never leaves the table.
        let scale = Double(Light.tableSize - 1) * 65536 / extent
        let middle = Double(Light.tableSize) * 32768
        origin = Int(middle + (across * Double(1 - width) + down * Double(1 - height)) / 2 * scale)
        stepX = Int(across * scale)
        stepY = Int(down * scale)
    }

    /// Writes a row of 0x00BBGGRR as lit RGB bytes.
    func apply(to row: UnsafeMutableBufferPointer<UInt32>, y: Int, into pixels: UnsafeMutablePointer<UInt8>) {
        table.withUnsafeBufferPointer { table in
            var place = origin + y * stepY
            var out = pixels
            for color in row {
                let gain = table[place >> 16]
                out[0] = Self.lit(color & 255, gain.x)
                out[1] = Self.lit(color >> 8 & 255, gain.y)
                out[2] = Self.lit(color >> 16, gain.z)
                out += 3
                place += stepX
            }
        }
    }

    @inline(__always)
    private static func lit(_ value: UInt32, _ gain: UInt16) -> UInt8 {
        UInt8(min(value * UInt32(gain) / UInt32(Light.unit), 255))
    }
}
