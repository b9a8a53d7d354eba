/// The 64-bit FNV-1a hash: fixed for good, unlike `Hasher`. It finds accidents and is no protection against forgery.
package struct FowlerNollVoHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    }

    package static func value(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = Self()
        hash.add(bytes)
        return hash.value
    }
}
