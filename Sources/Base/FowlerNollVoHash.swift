/// The 64-bit FNV-1a hash: fixed for good, unlike `Hasher`. It finds accidents and is no protection against forgery.
package struct FowlerNollVoHash {
    /// The hash of all bytes added so far.
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Begins with no bytes.
    package init() {}

    /// Adds bytes in their order.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { add(byte) }
    }

    /// Adds one byte.
    package mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }

    /// The hash of some bytes.
    package static func value(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = Self()
        hash.add(bytes)
        return hash.value
    }

    /// The hash of a text's bytes in UTF-8.
    package static func value(of text: String) -> UInt64 {
        var hash = Self()
        for byte in text.utf8 { hash.add(byte) }
        return hash.value
    }
}
