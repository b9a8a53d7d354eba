/// CRC-32C (Castagnoli), reflected polynomial 0x82F63B78: TensorBoard's.
package func crc32c(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { crc($0, crc32cTable) }
}

/// CRC-32 (ISO 3309), reflected polynomial 0xEDB88320: the zip container's.
package func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    crc(bytes, crc32Table)
}

private let crc32cTable = table(0x82f6_3b78)
private let crc32Table = table(0xedb8_8320)

private func table(_ polynomial: UInt32) -> [UInt32] {
    (0..<256).map { index in (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ polynomial : crc >> 1 } }
}

private func crc(_ bytes: UnsafeRawBufferPointer, _ table: [UInt32]) -> UInt32 {
    ~bytes.reduce(~0) { crc, byte in crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
}
