import CFFmpeg

/// Follows the numbers of an H.264 stream's pictures (`frame_num`) and notices where a reference picture is missing.
///
/// Each picture has the number after that of the reference picture before it; only a second field has the same (ITU-T H.264, 7.4.3). libav
/// compares a picture's number with that of the picture before it, whether or not that one is a reference picture. Where the numbers do not
/// follow, libav makes a picture up, which ``FrameSource`` notices. This type finds what libav overlooks: a non-reference picture before
/// the missing picture has the missing picture's number, so the number of the picture after the gap seems to follow.
struct FrameNumbers {
    private struct SequenceSet {
        var hasColourPlanes: Bool
        var numberBits: Int
    }

    private let units: H264Units
    private var sequenceSets: [Int: SequenceSet] = [:]
    /// The sequence set for each picture set. There are at most 32 sequence sets and 256 picture sets.
    private var sequenceIndices: [Int: Int] = [:]
    /// Number of the last reference picture, and of the last picture.
    private var last: (reference: Int, any: Int)?
    /// Whether numbers may be left out on purpose (`gaps_in_frame_num_value_allowed_flag`).
    private(set) var announceGaps = false

    /// - Parameter stream: gives the parameter sets that the container has.
    init(_ stream: UnsafeMutablePointer<AVStream>) {
        units = H264Units(extradata: stream.extradata)
        H264Units.forEachSet(inExtradata: stream.extradata) { _ = note($0) }
    }

    /// Forgets the last pictures, as after a seek.
    mutating func restart() { last = nil }

    /// Reads the next packet; returns whether a reference picture is missing before it that the decoder does not notice.
    mutating func note(_ packet: borrowing Packet) -> Bool {
        var size = 0
        if let data = av_packet_get_side_data(packet.pointer, AV_PKT_DATA_NEW_EXTRADATA, &size) {
            H264Units.forEachSet(inExtradata: UnsafeRawBufferPointer(start: data, count: size)) { _ = note($0) }
        }
        var isMissing = false
        units.forEach(in: packet) { if note($0) { isMissing = true } }
        return isMissing
    }

    private mutating func note(_ unit: UnsafeRawBufferPointer) -> Bool {
        var bits = UnitBits(unit)
        switch unit[0] & 31 {
        case H264Units.Kind.sequenceSet: noteSequenceSet(&bits)
        case H264Units.Kind.pictureSet:
            let index = bits.number()
            if index < 256 { sequenceIndices[index] = bits.number() }
        case H264Units.Kind.keySlice: last = (0, 0)
        case H264Units.Kind.slice: return noteSlice(&bits, isReference: unit[0] & 0x60 != 0)
        default: break
        }
        return false
    }

    /// ITU-T H.264, 7.3.2.1.1.
    private mutating func noteSequenceSet(_ bits: inout UnitBits) {
        let profile = bits.number(bits: 8)
        _ = bits.number(bits: 16)
        let index = bits.number()
        var hasColourPlanes = false
        if [44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244].contains(profile) {
            let chroma = bits.number()
            if chroma == 3 { hasColourPlanes = bits.number(bits: 1) == 1 }
            // Depths of luma and chroma, and whether there is a bypass.
            _ = (bits.number(), bits.number(), bits.number(bits: 1))
            if bits.number(bits: 1) == 1 { for list in 0..<(chroma == 3 ? 12 : 8) { bits.passScalingList(size: list < 6 ? 16 : 64) } }
        }
        let numberBits = bits.number() + 4
        switch bits.number() {
        case 0: _ = bits.number()
        case 1:
            _ = (bits.number(bits: 1), bits.number(), bits.number())
            for _ in 0..<min(255, bits.number()) { _ = bits.number() }
        default: break
        }
        // How many reference pictures.
        _ = bits.number()
        if bits.number(bits: 1) == 1 { announceGaps = true }
        if index < 32 { sequenceSets[index] = SequenceSet(hasColourPlanes: hasColourPlanes, numberBits: min(16, numberBits)) }
    }

    /// ITU-T H.264, 7.3.3.
    private mutating func noteSlice(_ bits: inout UnitBits, isReference: Bool) -> Bool {
        let (firstMacroblock, _, pictureSet) = (bits.number(), bits.number(), bits.number())
        guard firstMacroblock == 0, let set = sequenceIndices[pictureSet].flatMap({ sequenceSets[$0] }) else { return false }
        if set.hasColourPlanes { _ = bits.number(bits: 2) }
        let number = bits.number(bits: set.numberBits)
        let numbers = 1 << set.numberBits
        func isNext(to other: Int) -> Bool { number == (other + 1) % numbers }
        let before = last
        // The last reference is taken to be the one that this number follows, so that a missing picture is reported once.
        last = (isReference || number == before?.reference ? number : (number + numbers - 1) % numbers, number)
        guard let before, number != before.reference, !isNext(to: before.reference) else { return false }
        return isNext(to: before.any)
    }
}

extension UnitBits {
    /// ITU-T H.264, 7.3.2.1.1.1.
    fileprivate mutating func passScalingList(size: Int) {
        guard number(bits: 1) == 1 else { return }
        var scale = 8
        for _ in 0..<size where scale != 0 {
            let code = number()
            // With sign: 0, 1, -1, 2, -2, … (9.1.1).
            scale = (scale + (code % 2 == 1 ? (code + 1) / 2 : -code / 2) + 256) % 256
        }
    }
}
