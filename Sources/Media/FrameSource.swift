import CFFmpeg
import Sampling

/// Decodes the best video stream of a file, forward from its present position, on one thread.
///
/// The decoder passes a packet's time on to its frame, so each frame names the packet that it was decoded from.
///
/// Note "made up": where a picture that others refer to is missing, the decoder continues without an error and uses something else, which
/// depends on all that it decoded before. Decoders of H.264 and HEVC know their reference pictures by numbers. So they notice a missing one
/// and make a picture up, for which they take memory: then they have taken memory for more pictures than packets were sent.
/// ``FrameNumbers`` finds what the decoder of H.264 overlooks. Decoders of other codecs know the last pictures by position: instead of a
/// missing one they use the picture before it, wherever decoding began. VP8's decoder can leave the pictures after that unfinished.
///
/// An encoder of H.264 may announce that numbers will be missing, for instance where temporal layers are removed. Then a gap is no fault,
/// no picture is passed over, and every seek takes a new decoder, so that what the decoder makes up depends on the group of pictures alone.
struct FrameSource: ~Copyable {
    /// What to do with a packet.
    enum PacketUse {
        case decode
        /// Decode it only if other pictures refer to it. Without it, every other frame stays the same.
        case decodeIfReferenced
        case skip
        /// End before this packet, and return the frames that the decoder still holds, as at the end of a file.
        case drain
        /// End before this packet, at once.
        case stop
    }

    /// Errors in a row after which a decoder that takes no packet and returns no frame is given up as stuck.
    private static let maximumErrors = 1000

    let demuxer: Demuxer
    private let deadline: Deadline
    private var decoder: StreamDecoder
    private let packet = Packet()
    /// Whether the decoder refused a packet or returned a damaged frame since the last seek.
    private(set) var hasMetDamage = false
    /// Times of the packets that the decoder refused since the last seek.
    private(set) var refusedTimes: [Int64] = []
    /// Times of the packets, since the last seek, before which a reference picture turned out to be missing; nil for one without a time.
    private(set) var gapTimes: [Int64?] = []
    /// Whether the frames may depend on what was decoded before the last seek.
    var isUncertain: Bool { hasMetDamage || !gapTimes.isEmpty }
    /// Whether a packet was sent since the last seek.
    private var hasBegun = false
    /// Time of the packet sent last.
    private var sentTime: Int64?
    /// Number of pictures that the decoder will have taken memory for after the packet sent last, unless it makes some up.
    private var expectedPictures = Int.max
    private var isDraining = false
    private var isEnded = false
    /// Whether non-reference pictures may be passed over, which changes no other: H.264's syntax marks them, and the B-pictures of MPEG-1, 2
    /// and 4 are such. In HEVC those so marked can serve higher temporal layers. A packet must be a whole frame: where it may be a field,
    /// its time does not tell which frame it belongs to.
    private let canPassOver: Bool
    /// Whether decoding from a key frame gives the same frames as the sequential decode, as long as parameters do not change. For other
    /// streams this must be tried.
    let startsAtKeyFrames: Bool
    private var parameterSets: ParameterSets
    /// nil for other codecs than H.264.
    private var frameNumbers: FrameNumbers?
    /// Whether pictures may be missing on purpose.
    private var announcesGaps: Bool { frameNumbers?.announceGaps ?? false }
    /// Whether a packet holds one picture and the decoder notices missing reference pictures: see note "made up".
    private let missesPictures: Bool
    /// Whether decoding from a key frame must be tried all the same, because of what the stream contained so far.
    var hasCauseToTry: Bool { parameterSets.haveChanged || announcesGaps || !gapTimes.isEmpty }

    /// Owns the counters of the decoder.
    private let tools: ReaderTools
    private var costs: ReadingCosts { tools.costs }

    static func open(
        _ location: MediaLocation, record: VideoRecord? = nil, deadline: Deadline, tools: ReaderTools = ReaderTools()
    ) throws(MediaError) -> FrameSource {
        try tools.costs.time(.open) { () throws(MediaError) in
            try FrameSource(location, record: record, deadline: deadline, tools: tools)
        }
    }

    private init(
        _ location: MediaLocation, record: VideoRecord?, deadline: Deadline, tools: ReaderTools
    ) throws(MediaError) {
        let demuxer = try Demuxer.open(location, record: record, deadline: deadline)
        decoder = try tools.decoder(for: demuxer)
        let codec = demuxer.stream.pointee.codecpar.pointee.codec_id
        canPassOver =
            demuxer.storesWholeFrames
            && [AV_CODEC_ID_H264, AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4].contains(codec)
        startsAtKeyFrames = demuxer.storesWholeFrames && codec == AV_CODEC_ID_H264
        // For other streams it is not proven that a flushed decoder has forgotten everything, so it is not used for another video.
        if !startsAtKeyFrames { decoder.isBound = true }
        parameterSets = ParameterSets(demuxer.stream)
        missesPictures = [AV_CODEC_ID_H264, AV_CODEC_ID_HEVC].contains(codec)
        if codec == AV_CODEC_ID_H264 { frameNumbers = FrameNumbers(demuxer.stream) }
        self.demuxer = demuxer
        self.deadline = deadline
        self.tools = tools
    }

    /// Decodes up to the next frame in presentation order; false at the end.
    ///
    /// A damaged packet gives no frame and no error: decoding goes on with the next packet.
    ///
    /// - Parameter use: decides about every packet before it is decoded.
    mutating func nextFrame(into frame: borrowing Frame, use: (PacketInfo) -> PacketUse) throws(MediaError) -> Bool {
        var errors = 0
        while !isEnded {
            if deadline.isOver { throw MediaError(.timedOut, demuxer.path, "decoding") }
            let code = costs.time(.decode) { avcodec_receive_frame(decoder.context.pointer, frame.pointer) }
            if costs.framesDecoded > expectedPictures || decoder.hasLeftPictureUnfinished() { noteGap() }
            if code >= 0 {
                if frame.isDamaged { meetDamage() }
                return true
            }
            if code == endOfFile { break }
            if code == wouldBlock {
                try feed(use)
            } else {
                noteRefusal()
                errors += 1
                if errors > Self.maximumErrors { break }
            }
        }
        isEnded = true
        return false
    }

    private mutating func feed(_ use: (PacketInfo) -> PacketUse) throws(MediaError) {
        guard !isDraining else {
            isEnded = true
            return
        }
        reading: while let info = try costs.time(.seek, { () throws(MediaError) in try demuxer.read(into: packet) }) {
            // An empty packet: AVI's sign for "the picture before once more".
            if packet.pointer.pointee.size == 0 { continue }
            switch use(info) {
            case .decode: decoder.context.pointer.pointee.skip_frame = AVDISCARD_DEFAULT
            case .decodeIfReferenced:
                let passesOver = canPassOver && !announcesGaps
                decoder.context.pointer.pointee.skip_frame = passesOver ? AVDISCARD_NONREF : AVDISCARD_DEFAULT
            case .skip: continue
            case .drain: break reading
            case .stop:
                isEnded = true
                return
            }
            if startsAtKeyFrames {
                parameterSets.note(packet)
                if parameterSets.haveOwn { decoder.isBound = true }
            }
            packet.pointer.pointee.pts = info.time ?? noTimestamp
            sentTime = info.time
            noteNumbers(isKey: info.isKey)
            if costs.time(.decode, { avcodec_send_packet(decoder.context.pointer, packet.pointer) }) < 0 { noteRefusal() }
            return
        }
        isDraining = true
        // This call has no error to handle: frames that the decoder cannot give are missing later.
        _ = costs.time(.decode) { avcodec_send_packet(decoder.context.pointer, nil) }
    }

    /// Notices pictures that are missing before the packet that is to be sent.
    private mutating func noteNumbers(isKey: Bool) {
        let isMissing = frameNumbers?.note(packet) ?? false
        if isMissing, !announcesGaps { noteGap() }
        // A key frame does not refer to pictures before it, even where the decoder makes such pictures up.
        expectedPictures = !missesPictures || announcesGaps || !hasBegun && isKey ? .max : costs.framesDecoded + 1
        hasBegun = true
    }

    private mutating func noteGap() {
        expectedPictures = .max
        gapTimes.append(sentTime)
        decoder.isBound = true
    }

    private mutating func meetDamage() {
        hasMetDamage = true
        decoder.isBound = true
    }

    private mutating func noteRefusal() {
        meetDamage()
        if let sentTime { refusedTimes.append(sentTime) }
    }

    /// Seeks to the last key frame at or before a time, as far as the container knows; returns whether that succeeded.
    mutating func seek(to time: Int64) throws(MediaError) -> Bool {
        guard costs.time(.seek, { demuxer.seek(to: time) }) else { return false }
        if announcesGaps {
            tools.forgetDecoder()
            decoder = try tools.decoder(for: demuxer)
        } else {
            avcodec_flush_buffers(decoder.context.pointer)
        }
        hasMetDamage = false
        refusedTimes = []
        gapTimes = []
        hasBegun = false
        frameNumbers?.restart()
        isDraining = false
        isEnded = false
        return true
    }
}
