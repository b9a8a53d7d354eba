/// Finds which frames show damage: those that the decoder marks as damaged, and those that may be decoded from damaged ones. These are the
/// frames that follow a damaged, a refused or a missing picture in decoding order up to the next key frame, and those behind that key frame
/// that are shown before it.
struct DamageTracker {
    private var packets: [(time: Int64, isKey: Bool)] = []
    private var places: Set<Int64> = []
    /// Times of packets before which one is missing.
    private var gaps: Set<Int64> = []
    /// Damaged frames without a time.
    private var timeless: Set<Int> = []

    /// A packet was sent to the decoder.
    mutating func passed(_ time: Int64, isKey: Bool) { packets.append((time, isKey)) }

    /// The decoder refused the packet of a time.
    mutating func refused(at time: Int64) { places.insert(time) }

    /// A picture that others refer to is missing before the packet of a time.
    mutating func missing(before time: Int64) { gaps.insert(time) }

    /// The decoder returned a damaged frame.
    mutating func found(at time: Int64?, frame: Int) {
        if let time { places.insert(time) } else { timeless.insert(frame) }
    }

    /// Which frames show damage, and how many do, with those that the decoder never returned.
    ///
    /// - Parameter times: times of the frames that the decoder returned.
    func findings(_ times: [Int64?]) -> (frames: [Int], count: Int) {
        let damaged = damagedTimes
        let frames = times.indices.filter { index in times[index].map(damaged.contains) ?? timeless.contains(index) }
        return (frames, max(frames.count, damaged.count + timeless.count))
    }

    /// Times of all frames that show damage.
    private var damagedTimes: Set<Int64> {
        guard !places.isEmpty || !gaps.isEmpty else { return [] }
        var damaged = places
        var isSpreading = false
        var leadingBefore = Int64.min
        for packet in packets {
            isSpreading = isSpreading || gaps.contains(packet.time)
            if packet.isKey {
                leadingBefore = isSpreading ? packet.time : .min
                isSpreading = false
            }
            isSpreading = isSpreading || places.contains(packet.time)
            if isSpreading || packet.time < leadingBefore { damaged.insert(packet.time) }
        }
        return damaged
    }
}
