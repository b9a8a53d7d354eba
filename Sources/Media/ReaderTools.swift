import CFFmpeg

/// What readers of one video after another hand on: the decoder, where the next stream is described as the last one was, and the scalers.
///
/// For one thread, and one reader at a time.
public final class ReaderTools {
    public let costs = ReadingCosts()
    var cropper = Cropper()
    private var kept: StreamDecoder?

    public init() {}

    /// A decoder for a stream, as good as new; the last one where it fits.
    func decoder(for demuxer: borrowing Demuxer) throws(MediaError) -> StreamDecoder {
        let description = StreamDescription(demuxer)
        if let kept, !kept.isBound, kept.description == description {
            kept.renew(for: demuxer)
            return kept
        }
        let made = try StreamDecoder(description, demuxer, costs)
        kept = made
        return made
    }

    /// Has the next decoder be a new one.
    func forgetDecoder() { kept = nil }
}

/// A decoder of libav's on one thread.
final class StreamDecoder {
    let description: StreamDescription
    let context: CodecContext
    /// Whether it holds something that only its own stream explains, such as parameters that came on the way.
    var isBound = false

    /// - Parameter costs: counts the frames; must outlive this.
    fileprivate init(_ description: StreamDescription, _ demuxer: borrowing Demuxer, _ costs: ReadingCosts) throws(MediaError) {
        let (path, parameters) = (demuxer.path, demuxer.stream.pointee.codecpar!)
        guard let codec = avcodec_find_decoder(parameters.pointee.codec_id) else {
            throw MediaError(.unsupported, path, "no decoder for \(String(cString: avcodec_get_name(parameters.pointee.codec_id)))")
        }
        guard Int64(parameters.pointee.width) * Int64(parameters.pointee.height) <= MediaLimits.mostPixels else {
            throw MediaError(.tooBig, path, "pictures of \(parameters.pointee.width)x\(parameters.pointee.height)")
        }
        self.description = description
        context = CodecContext(codec)
        try check(avcodec_parameters_to_context(context.pointer, parameters), .cannotOpen, path, "describing the stream")
        context.pointer.pointee.thread_count = 1
        context.pointer.pointee.pkt_timebase = demuxer.stream.pointee.time_base
        context.pointer.pointee.max_pixels = MediaLimits.mostPixels
        if demuxer.assumesReordering { context.pointer.pointee.strict_std_compliance = FF_COMPLIANCE_STRICT }
        context.pointer.countFrames(in: costs)
        try check(avcodec_open2(context.pointer, codec, nil), .cannotOpen, path, "opening the decoder")
        costs.decodersOpened += 1
    }

    /// Forgets the last stream, as after a seek.
    fileprivate func renew(for demuxer: borrowing Demuxer) {
        avcodec_flush_buffers(context.pointer)
        context.pointer.pointee.pkt_timebase = demuxer.stream.pointee.time_base
        // A decoder holds back more pictures once it has met a need to.
        context.pointer.pointee.has_b_frames = demuxer.stream.pointee.codecpar.pointee.video_delay
    }
}

/// All that a decoder is told of a stream before the first packet.
struct StreamDescription: Equatable {
    private let parameters: [UInt8]
    private let extradata: [UInt8]
    private let assumesReordering: Bool

    init(_ demuxer: borrowing Demuxer) {
        var parameters = demuxer.stream.pointee.codecpar.pointee
        extradata = Array(UnsafeBufferPointer(start: parameters.extradata, count: Int(parameters.extradata_size)))
        assumesReordering = demuxer.assumesReordering
        // Where the extradata lies, and what the file makes of the stream's length, means nothing to a decoder.
        parameters.extradata = nil
        parameters.bit_rate = 0
        self.parameters = withUnsafeBytes(of: &parameters) { Array($0) }
    }
}

extension UnsafeMutablePointer<AVCodecContext> {
    /// Counts the frames for which a decoder takes memory. The costs must outlive the decoder.
    fileprivate func countFrames(in costs: ReadingCosts) {
        pointee.opaque = Unmanaged.passUnretained(costs).toOpaque()
        pointee.get_buffer2 = { context, frame, flags in
            Unmanaged<ReadingCosts>.fromOpaque(context!.pointee.opaque).takeUnretainedValue().framesDecoded += 1
            return avcodec_default_get_buffer2(context, frame, flags)
        }
    }
}
