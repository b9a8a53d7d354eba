import Base
import TestSupport

/// A good file, damaged: one to eight times, a text once; a pure function of the seed and the number of the case.
func damaged(_ good: Corpus.Seed, seed: UInt64, case number: Int) -> [UInt8] {
    var random = SplitMix64(seed: seed &* 0x1_0000_0001 &+ UInt64(number))
    var bytes = good.bytes
    guard good.kind != "json5" else {
        damageText(&bytes, using: &random)
        return bytes
    }
    let marks = structureMarks(in: bytes)
    for _ in 0..<(1 << Int.random(in: 0...3, using: &random)) { damage(&bytes, marks: marks, using: &random) }
    return bytes
}

private func damage(_ bytes: inout [UInt8], marks: [Int], using random: inout SplitMix64) {
    guard bytes.count > 16 else { return bytes.append(contentsOf: (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }) }
    let place = place(in: bytes, marks: marks, using: &random)
    let length = min(bytes.count - place, 1 << Int.random(in: 0...12, using: &random))
    switch Int.random(in: 0..<10, using: &random) {
    case 0: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
    case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
    case 2, 3, 4: writeNumber(into: &bytes, at: place, using: &random)
    case 5:
        let source = Int.random(in: 0...bytes.count - length, using: &random)
        bytes.replaceSubrange(place..<place + length, with: Array(bytes[source..<source + length]))
    case 6:
        let source = Int.random(in: 0...bytes.count - length, using: &random)
        bytes.insert(contentsOf: Array(bytes[source..<source + length]), at: place)
    case 7: bytes.removeSubrange(place..<place + length)
    case 8: for index in place..<place + length { bytes[index] = UInt8.random(in: 0...255, using: &random) }
    default: bytes.removeSubrange(place...)
    }
}

/// Puts a sign of the language, or a stretch of the text itself, in the place of a few letters.
private func damageText(_ bytes: inout [UInt8], using random: inout SplitMix64) {
    let signs = Array("0123456789.-+eE,:[]{}\"'/*\\ \n".utf8)
    let place = Int.random(in: 0..<bytes.count, using: &random)
    let old = place..<min(bytes.count, place + Int.random(in: 0...2, using: &random))
    let source = Int.random(in: 0..<bytes.count, using: &random)
    let stretch = Array(bytes[source..<min(bytes.count, source + 12)])
    bytes.replaceSubrange(old, with: Bool.random(using: &random) ? [signs.randomElement(using: &random)!] : stretch)
}

/// Half of all damage falls where lengths and counts stand, a quarter on the file's begin or end, the rest anywhere.
private func place(in bytes: [UInt8], marks: [Int], using random: inout SplitMix64) -> Int {
    let chosen: Int
    switch Int.random(in: 0..<8, using: &random) {
    case 0...3 where !marks.isEmpty: chosen = marks.randomElement(using: &random)! + Int.random(in: -8...24, using: &random)
    case 4: chosen = Int.random(in: 0..<512, using: &random)
    case 5: chosen = bytes.count - Int.random(in: 1..<2048, using: &random)
    default: chosen = Int.random(in: 0..<bytes.count, using: &random)
    }
    return min(max(0, chosen), bytes.count - 1)
}

/// Overwrites one to eight bytes by a number at the edge of what such a field holds, in either byte order.
private func writeNumber(into bytes: inout [UInt8], at place: Int, using random: inout SplitMix64) {
    let numbers: [UInt64] = [
        0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000,
        0x3FFF_FFFF, .max >> 1, .max, .max - 1, UInt64(bytes.count), UInt64(bytes.count) + 1,
    ]
    let number = numbers.randomElement(using: &random)!
    let width = min([1, 2, 4, 8].randomElement(using: &random)!, bytes.count - place)
    let isBig = Bool.random(using: &random)
    for index in 0..<width { bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * (isBig ? width - 1 - index : index))) }
}

/// Where containers write names of boxes and chunks, four letters, or EBML's ids: lengths and counts stand beside them.
private func structureMarks(in bytes: [UInt8]) -> [Int] {
    guard bytes.count > 4 else { return [] }
    func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) }
    let ids: Set<[UInt8]> = [
        [0x1A, 0x45, 0xDF, 0xA3], [0x18, 0x53, 0x80, 0x67], [0x16, 0x54, 0xAE, 0x6B], [0x1F, 0x43, 0xB6, 0x75], [0x1C, 0x53, 0xBB, 0x6B],
        [0x11, 0x4D, 0x9B, 0x74], [0x15, 0x49, 0xA9, 0x66],
    ]
    return (0..<bytes.count - 4).filter { i in
        bytes[i..<i + 4].allSatisfy(isLetter) || ids.contains(Array(bytes[i..<i + 4]))
    }
}
