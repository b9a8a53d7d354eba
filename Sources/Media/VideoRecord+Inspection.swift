import CFFmpeg
import Glibc
import Sampling

extension VideoRecord {
    /// Seconds between two frames that a video may have at most. Pairs are drawn less than two seconds apart; where a pause takes longer than
    /// this, a pair across it has nothing to do with the gap that was drawn.
    public static let longestPause = 5.0
    /// Bytes of a file that pay for a second of decoding: ten minutes for a film of 30 MB.
    private static let fewestBytesPerSecond = 50_000.0

    /// Decodes a video from its first frame to its last and records what came out.
    ///
    /// Frame i is the i-th frame of that decode. Nothing is taken from the container's claims: neither the number of frames nor their times.
    ///
    /// - Parameters:
    ///   - path: path of the file, relative to `folder`.
    ///   - folder: the media folder.
    ///   - patience: seconds of processor time without a new frame after which the file is given up. All frames together may take
    ///     longer, the longer the bigger the file.
    ///   - visit: sees every frame, with its index.
    /// - Throws: where the file does not open, is cut off, gives fewer than two frames or too many damaged ones, or gives frames without
    ///   distinct, ascending times or with a pause above ``longestPause`` between them.
    public init(
        inspecting path: String, in folder: String, patience: Double = 30, visit: (Int, borrowing Frame) -> Void = { _, _ in }
    ) throws(MediaError) {
        self = try .inspect(path, in: folder, patience: patience) { _, index, frame in visit(index, frame) }
    }

    /// The same, with the decoder's side shown as well.
    ///
    /// - Parameter visit: may throw, which ends the inspection.
    static func inspect(
        _ path: String, in folder: String, patience: Double = 30,
        visit: (_ source: borrowing FrameSource, _ index: Int, _ frame: borrowing Frame) throws(MediaError) -> Void
    ) throws(MediaError) -> VideoRecord {
        let fullPath = folder + "/" + path
        let byteCount = try fileSize(fullPath)

        let deadline = Deadline(seconds: patience)
        // A small file can hold frames for days, each of them good: many samples that lie at one place.
        let wholeDeadline = Deadline(seconds: patience + Double(byteCount) / Self.fewestBytesPerSecond)
        var source = try FrameSource.open(fullPath, bytes: byteCount, deadline: deadline)
        let frame = Frame()
        var damage = DamageTracker()
        var keyTimes: Set<Int64> = []
        var times: [Int64] = []
        var keyFrames: [Int] = []
        var size: (width: Int, height: Int) = (0, 0)
        let timeBase = source.demuxer.stream.pointee.time_base
        while try source.nextFrame(
            into: frame,
            use: { packet in
                if let time = packet.time {
                    if packet.isKey, !packet.isHidden { keyTimes.insert(time) }
                    damage.passed(time, isKey: packet.isKey)
                }
                return .decode
            })
        {
            guard !wholeDeadline.isOver else {
                throw MediaError(.timedOut, fullPath, "\(times.count) frames so far are too much for a file of \(byteCount) bytes")
            }
            deadline.restart()
            guard let time = frame.time else {
                throw MediaError(.brokenTimes, fullPath, "frame \(times.count) has none")
            }
            if let last = times.last {
                guard time > last else {
                    throw MediaError(
                        .brokenTimes, fullPath, "frame \(times.count) comes at tick \(time), frame \(times.count - 1) at \(last)")
                }
                let pause = Double(time - last) * av_q2d(timeBase)
                guard pause <= longestPause else {
                    let seconds = (pause * 10).rounded() / 10
                    throw MediaError(.tooLongGap, fullPath, "\(seconds) s between frames \(times.count - 1) and \(times.count)")
                }
            }
            if times.isEmpty { size = source.uprightSize(of: frame) }
            if keyTimes.contains(time), frame.isKey { keyFrames.append(times.count) }
            if frame.isDamaged { damage.found(at: time) }
            try visit(source, times.count, frame)
            times.append(time)
        }
        guard !times.isEmpty else { throw MediaError(.undecodable, fullPath, "the video stream gives no frame at all") }
        guard times.count >= 2 else { throw MediaError(.tooShort, fullPath, "one frame, and a pair needs two") }
        for time in source.refusedTimes { damage.found(at: time) }
        let damagedTimes = damage.damagedTimes
        let record = VideoRecord(
            path: path, bytes: byteCount, width: size.width, height: size.height,
            timeBase: Rational(Int(timeBase.num), Int(timeBase.den)), timestamps: Timestamps(times), keyFrames: keyFrames,
            damagedFrames: times.indices.filter { damagedTimes.contains(times[$0]) },
            contentHash: try PixelHash.hexadecimal(ofFile: fullPath))
        // Damaged frames that the decoder kept to itself count as well.
        let all = record.frameCount + damagedTimes.count - record.damagedFrames.count
        guard damagedTimes.count <= all / 2, record.damagedFrames.count <= record.mostDamagedFrames else {
            throw MediaError(.undecodable, fullPath, "\(damagedTimes.count) of \(all) frames are damaged")
        }
        return record
    }
}

/// Finds which frames show damage: those that the decoder calls damaged, and, since pictures are made from pictures before them, those that
/// follow a damaged or a refused one in decoding order up to the next key frame, and past it those that are shown before it.
private struct DamageTracker {
    private var packets: [(time: Int64, isKey: Bool)] = []
    private var places: Set<Int64> = []

    /// A packet goes to the decoder.
    mutating func passed(_ time: Int64, isKey: Bool) { packets.append((time, isKey)) }

    /// The packet of a time was refused, or its frame came out damaged.
    mutating func found(at time: Int64) { places.insert(time) }

    /// Times of all frames that show damage.
    var damagedTimes: Set<Int64> {
        guard !places.isEmpty else { return [] }
        var damaged = places
        var isSpreading = false
        var leadingBefore = Int64.min
        for packet in packets {
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

extension FrameSource {
    /// Opens a file that may be cut off.
    ///
    /// A missing twentieth of what the container promises is too much. Less may be lost where the rest still decodes.
    fileprivate static func open(_ path: String, bytes: Int, deadline: Deadline) throws(MediaError) -> FrameSource {
        func truncated(_ promised: Int) -> MediaError {
            MediaError(.truncated, path, "\(bytes) bytes of the \(promised) that the container promises")
        }
        let promised = promisedByteCount(ofFile: path)
        do throws(MediaError) {
            let source = try FrameSource(path: path, deadline: deadline)
            let all = max(promised ?? 0, source.demuxer.indexedByteCount)
            guard all - bytes <= all / 20 else { throw truncated(all) }
            return source
        } catch {
            guard error.reason == .cannotOpen, let promised, promised > bytes else { throw error }
            throw truncated(promised)
        }
    }

    /// The size at which a frame is to be seen: square pixels, upright.
    func uprightSize(of frame: borrowing Frame) -> (width: Int, height: Int) {
        let aspect = av_guess_sample_aspect_ratio(demuxer.context, demuxer.stream, frame.pointer)
        var width = frame.width
        // Aspects beyond any real format are mistakes in the file.
        if aspect.num > 0, aspect.den > 0, (0.1...10).contains(av_q2d(aspect)) {
            width = max(1, Int((Double(frame.width) * av_q2d(aspect)).rounded()))
        }
        return Orientation(stream: demuxer.stream).isTransposed ? (frame.height, width) : (width, frame.height)
    }
}

extension Frame {
    /// Whether the decoder holds this for a picture at which decoding can begin.
    fileprivate var isKey: Bool { pointer.pointee.key_frame != 0 }
}
