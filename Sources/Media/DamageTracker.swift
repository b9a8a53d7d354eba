/// Finds which frames show damage: those that the decoder calls damaged, and, since pictures are made from pictures before them, those that
/// follow a damaged, a refused or a missing one in decoding order up to the next key frame, and past it those that are shown before it.
struct DamageTracker {
    private var packets: [(time: Int64, isKey: Bool)] = []
    private var places: Set<Int64> = []
    /// Times of packets before which one is missing.
    private var gaps: Set<Int64> = []
    /// Damaged frames without a time.
    private var timeless: Set<Int> = []

    /// A packet goes to the decoder.
    mutating func passed(_ time: Int64, isKey: Bool) { packets.append((time, isKey)) }

    /// The packet of a time was refused.
    mutating func refused(at time: Int64) { places.insert(time) }

    /// A picture that others refer to is missing before the packet of a time.
    mutating func missing(before time: Int64) { gaps.insert(time) }

    /// A frame came out damaged.
    mutating func found(at time: Int64?, frame: Int) {
        if let time { places.insert(time) } else { timeless.insert(frame) }
    }

    /// Which frames show damage, and how many frames do, those included that never came out.
    ///
    /// - Parameter times: of the frames that came out.
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
