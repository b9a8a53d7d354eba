import CFFmpeg

/// Follows the parameter sets of H.264 through packets that are whole frames.
///
/// Decoding can begin at a key frame where all key frames use the same sets. Where new sets come later in the stream, a key frame may
/// depend on packets before it.
struct ParameterSets {
    private let stream: UnsafeMutablePointer<AVStream>
    /// The sets of the first packet that the container does not have.
    private var first: [[UInt8]] = []
    private var packets = 0
    /// Whether a packet brought sets that the decoder did not begin with.
    private(set) var haveChanged = false
    /// Whether packets brought sets that the container does not name.
    var haveOwn: Bool { haveChanged || !first.isEmpty }

    /// - Parameter stream: must outlive this.
    init(_ stream: UnsafeMutablePointer<AVStream>) { self.stream = stream }

    /// Compares the sets of the next packet with those known.
    mutating func note(_ packet: borrowing Packet) {
        let given = stream.extradata
        var size = 0
        if let data = av_packet_get_side_data(packet.pointer, AV_PKT_DATA_NEW_EXTRADATA, &size) {
            haveChanged = haveChanged || !given.elementsEqual(UnsafeRawBufferPointer(start: data, count: size))
        }
        H264Units(extradata: given).forEach(in: packet) { unit in
            if [H264Units.Kind.sequenceSet, H264Units.Kind.pictureSet].contains(unit[0] & 31) { note(unit, given) }
        }
        packets += 1
    }

    private mutating func note(_ set: UnsafeRawBufferPointer, _ given: UnsafeRawBufferPointer) {
        let places = 0..<max(0, given.count - set.count + 1)
        if places.contains(where: { given[$0..<$0 + set.count].elementsEqual(set) }) { return }
        if packets == 0 { first.append(Array(set)) } else if !first.contains(where: set.elementsEqual) { haveChanged = true }
    }
}
