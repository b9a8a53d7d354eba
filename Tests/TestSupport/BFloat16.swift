import Foundation

/// Rounding to bf16, by the arithmetic of its definition: what a library's bit tricks are judged by.
public enum BFloat16 {
    /// The nearest number with 8 significant bits and the exponents of f32; of two as near, the one whose last bit is zero.
    public static func rounded(_ x: Float) -> Float {
        guard x.isFinite, x != 0 else { return x }
        let exponent = max(Int(x.exponent), -126)
        let unit = scalbn(1.0, exponent - 7)
        let rounded = (Double(x) / unit).rounded(.toNearestOrEven) * unit
        return abs(rounded) >= 0x1p128 ? (rounded < 0 ? -.infinity : .infinity) : Float(rounded)
    }

    /// The bits of the nearest number: the upper half of what they are in f32.
    public static func bits(_ x: Float) -> UInt16 { x.isNaN ? 0x7fff : UInt16(rounded(x).bitPattern >> 16) }

    /// The number that these bits are.
    public static func number(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    /// Half a unit in the last of 8 bits, relative to the number: the most that rounding changes.
    public static let precision = 0x1p-8
}
