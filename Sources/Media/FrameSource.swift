import CFFmpeg

/// Decodes the best video stream of a file, forward from where it stands, on one thread.
///
/// A packet's time travels with it through the decoder, so that each frame that comes out names the packet it came from.
///
/// Note "made up": where a picture that others refer to is missing, the decoder goes on without a word and takes something else for it, which
/// depends on all that it decoded before. Decoders of H.264 and HEVC know their reference pictures by numbers, so they notice, and make a
/// picture up: then they take memory for more pictures than packets came. What H.264's overlooks ``FrameNumbers`` finds. Decoders of other
/// codecs know the last pictures by their places, so what they take for a missing one is the picture before it, whoever decodes.
struct FrameSource: ~Copyable {
    /// What to do with a packet.
    enum PacketUse {
        case decode
        /// Decode it unless no other picture refers to it: then it is passed over, which changes no other frame.
        case decodeIfReferenced
        case skip
        /// End here, without it: hand out what the decoder still holds, as at the end of a file.
        case drain
        /// End here, at once.
        case stop
    }

    /// Errors in a row after which a decoder that neither takes nor gives is held for stuck.
    private static let mostErrors = 1000

    let demuxer: Demuxer
    private let deadline: Deadline
    private let decoder: StreamDecoder
    private let packet = Packet()
    /// Whether a packet was refused or a frame came out damaged since the last seek.
    private(set) var hasMetDamage = false
    /// Times of the packets that the decoder refused since the last seek.
    private(set) var refusedTimes: [Int64] = []
    /// Times of the packets, since the last seek, before which a reference picture is missing; nil for a packet that has none.
    private(set) var gapTimes: [Int64?] = []
    /// Whether what comes out may depend on what came before the last seek.
    var isUncertain: Bool { hasMetDamage || !gapTimes.isEmpty }
    /// Whether a packet was sent since the last seek.
    private var hasBegun = false
    /// Time of the packet sent last.
    private var sentTime: Int64?
    /// Pictures for which the decoder has taken memory once it is done with the packet sent last, unless it makes some up.
    private var expectedPictures = Int.max
    private var isDraining = false
    private var isEnded = false
    /// Whether non-reference pictures may be passed over, which changes no other: H.264's syntax marks them, and the B-pictures of MPEG-1, 2
    /// and 4 are such. In HEVC those so marked can serve higher temporal layers. A packet must be a whole frame: where it may be a field,
    /// its time does not tell which frame it belongs to.
    private let canPassOver: Bool
    /// Whether decoding that begins at a key frame gives what the sequential decode gives, as long as parameters do not change; elsewhere that
    /// has to be tried.
    let startsAtKeyFrames: Bool
    private var parameterSets: ParameterSets
    /// Nil but for H.264.
    private var frameNumbers: FrameNumbers?
    /// Whether a packet holds one picture, and the decoder misses those that others refer to: see note "made up".
    private let missesPictures: Bool
    /// Whether the stream's parameters have changed on the way, as far as it is looked for: where decoding ``startsAtKeyFrames``.
    var haveParametersChanged: Bool { parameterSets.haveChanged }

    /// Owns what the decoder counts in.
    private let tools: ReaderTools
    private var costs: ReadingCosts { tools.costs }

    static func open(
        path: String, server: MediaServer? = nil, deadline: Deadline, tools: ReaderTools = ReaderTools()
    ) throws(MediaError) -> FrameSource {
        try tools.costs.time(.open) { () throws(MediaError) in
            try FrameSource(path: path, server: server, deadline: deadline, tools: tools)
        }
    }

    private init(path: String, server: MediaServer?, deadline: Deadline, tools: ReaderTools) throws(MediaError) {
        let demuxer = try Demuxer.open(path: path, server: server, deadline: deadline)
        decoder = try tools.decoder(for: demuxer)
        let codec = demuxer.stream.pointee.codecpar.pointee.codec_id
        canPassOver =
            demuxer.storesWholeFrames
            && [AV_CODEC_ID_H264, AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4].contains(codec)
        startsAtKeyFrames = demuxer.storesWholeFrames && codec == AV_CODEC_ID_H264
        // Elsewhere nobody has shown that a decoder forgets all.
        if !startsAtKeyFrames { decoder.isBound = true }
        parameterSets = ParameterSets(demuxer.stream)
        missesPictures = [AV_CODEC_ID_H264, AV_CODEC_ID_HEVC].contains(codec)
        if codec == AV_CODEC_ID_H264 { frameNumbers = FrameNumbers(demuxer.stream) }
        self.demuxer = demuxer
        self.deadline = deadline
        self.tools = tools
    }

    /// Decodes up to the next frame that comes out, in presentation order; false at the end.
    ///
    /// Damaged packets give no frame and no error: the decoder goes on with the next.
    ///
    /// - Parameter use: decides about every packet before it is decoded.
    mutating func nextFrame(into frame: borrowing Frame, use: (PacketInfo) -> PacketUse) throws(MediaError) -> Bool {
        var errors = 0
        while !isEnded {
            if deadline.isOver { throw MediaError(.timedOut, demuxer.path, "decoding") }
            let code = costs.time(.decode) { avcodec_receive_frame(decoder.context.pointer, frame.pointer) }
            if costs.framesDecoded > expectedPictures { noteGap() }
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
                if errors > Self.mostErrors { break }
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
            // AVI's word for "the picture before once more".
            if packet.pointer.pointee.size == 0 { continue }
            switch use(info) {
            case .decode: decoder.context.pointer.pointee.skip_frame = AVDISCARD_DEFAULT
            case .decodeIfReferenced:
                // Where numbers are left out, H.264's decoder takes what to make up from all pictures.
                let passes = canPassOver && !(frameNumbers?.allowGaps ?? false)
                decoder.context.pointer.pointee.skip_frame = passes ? AVDISCARD_NONREF : AVDISCARD_DEFAULT
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
        _ = costs.time(.decode) { avcodec_send_packet(decoder.context.pointer, nil) }
    }

    /// Notices what is missing before the packet that is to be sent.
    private mutating func noteNumbers(isKey: Bool) {
        if frameNumbers?.note(packet) ?? false { noteGap() }
        // A key frame does without what came before it, even where the decoder makes up pictures for that.
        let mayMakeUp = !missesPictures || frameNumbers?.allowGaps ?? false || !hasBegun && isKey
        expectedPictures = mayMakeUp ? .max : costs.framesDecoded + 1
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

    /// Goes on at the last key frame at or before a time, as far as the container knows; whether it did.
    mutating func seek(to time: Int64) -> Bool {
        guard costs.time(.seek, { demuxer.seek(to: time) }) else { return false }
        avcodec_flush_buffers(decoder.context.pointer)
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
