import CFFmpeg
import Sampling

/// What decoding a video from its first frame to its last has shown of it.
struct VideoObservations {
    /// Presentation times of the frames in the order in which they came.
    private(set) var times: [Int64?] = []
    /// What each frame shows, where the decode does not begin at key frames.
    private(set) var hashes: [String] = []
    private var decodingTimes: [Int64?] = []
    private var keyFrames: [Int] = []
    private var keyTimes: Set<Int64> = []
    private var damage = DamageTracker()
    private var size: (width: Int, height: Int) = (0, 0)
    private var orientation = Orientation()
    private var packetCount = 0
    private var isInterlaced = false

    /// A packet went to the decoder.
    mutating func note(_ packet: PacketInfo) {
        if !packet.isHidden { packetCount += 1 }
        guard let time = packet.time else { return }
        if packet.isKey, !packet.isHidden { keyTimes.insert(time) }
        damage.passed(time, isKey: packet.isKey)
    }

    /// The decoder gave a frame.
    mutating func note(_ frame: borrowing Frame, of source: borrowing FrameSource) {
        if times.isEmpty { (size, orientation) = (source.uprightSize(first: frame), source.orientation(first: frame)) }
        if let time = frame.time, keyTimes.contains(time), frame.isKey { keyFrames.append(times.count) }
        if frame.isDamaged { damage.found(at: frame.time, frame: times.count) }
        if !source.startsAtKeyFrames { hashes.append(frame.hexadecimalHash(.murmur3)) }
        if frame.isInterlaced { isInterlaced = true }
        times.append(frame.time)
        decodingTimes.append(frame.decodingTime)
    }

    /// The record of the video at a path, once the source has given all of its frames.
    ///
    /// - Parameter bytes: size of the file.
    /// - Throws: where the times cannot be told in 64 bits, or too many frames are damaged.
    mutating func record(
        of path: String, bytes: Int, from source: borrowing FrameSource
    ) throws(MediaError) -> VideoRecord {
        let location = source.demuxer.location
        let fullPath = location.path
        for time in source.refusedTimes { damage.refused(at: time) }
        let damaged = damage.findings(times)
        for time in source.gapTimes { if let time { damage.missing(before: time) } }
        let damagedOrMissing = damage.findings(times).frames

        let timeBase = source.demuxer.stream.pointee.time_base
        let hasFieldPackets = isInterlaced && packetCount > times.count
        let isCounted = source.hasMetDamage || hasFieldPackets || faults(in: times) > 0
        let shownTimes = faults(in: decodingTimes) < faults(in: times) ? decodingTimes : times
        let timestamps = Timestamps(ascendingTimes(shownTimes, step: source.ticksPerFrame))
        guard timestamps.areAscending else { throw MediaError(.brokenTimes, fullPath, "they run out of 64 bits") }
        var record = VideoRecord(
            path: path, bytes: bytes, width: size.width, height: size.height, orientation: orientation,
            timeBase: Rational(Int(timeBase.num), Int(timeBase.den)), timestamps: timestamps, keyFrames: isCounted ? [] : keyFrames,
            damagedFrames: damaged.frames, contentHash: try PixelHash.hexadecimal(of: location))
        try record.refuseLongPauses(fullPath)
        // Damaged frames that the decoder did not return count as well.
        let all = record.frameCount + damaged.count - damaged.frames.count
        guard damaged.count <= all / 2, damaged.frames.count <= record.maximumDamagedFrames else {
            throw MediaError(.undecodable, fullPath, "\(damaged.count) of \(all) frames are damaged")
        }
        if damagedOrMissing.count <= record.maximumDamagedFrames {
            record.damagedFrames = damagedOrMissing
        } else {
            record.keyFrames = []
        }
        return record
    }
}

/// How many times of a list are missing or not later than the one before.
private func faults(in times: [Int64?]) -> Int {
    times.indices.count { index in
        guard let time = times[index] else { return true }
        guard index > 0, let last = times[index - 1] else { return false }
        return time <= last
    }
}

/// The times themselves where each is later than the one before; elsewhere a step on from the one before.
private func ascendingTimes(_ times: [Int64?], step: Int64) -> [Int64] {
    // Times are a file's word: what overflows here does not ascend afterwards.
    let firstKnown = times.firstIndex { $0 != nil } ?? 0
    var last = (times[firstKnown] ?? 0) &- Int64(firstKnown) &* step
    return times.indices.map { index in
        guard index > 0 else { return last }
        if let before = times[index - 1], let time = times[index], time > before { last &+= time &- before } else { last &+= step }
        return last
    }
}

extension Frame {
    /// Whether the decoder holds this for a picture at which decoding can begin.
    fileprivate var isKey: Bool { pointer.pointee.key_frame != 0 }

    /// Whether it was coded as two fields, together or apart.
    fileprivate var isInterlaced: Bool { pointer.pointee.interlaced_frame != 0 }
}

extension FrameSource {
    /// Ticks of the stream's time base from frame to frame.
    fileprivate var ticksPerFrame: Int64 { max(1, av_rescale_q(1, av_inv_q(frameRate), demuxer.stream.pointee.time_base)) }
}
