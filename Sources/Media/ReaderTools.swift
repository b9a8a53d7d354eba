import CFFmpeg
import Glibc
import Sampling

/// Objects that are kept from one reader to the next: the decoder, where the next stream has the same description as the last one, and the
/// scalers.
///
/// For one thread, and one reader at a time.
public final class ReaderTools {
    /// The costs of all readers that used the tools so far.
    public let costs = ReadingCosts()
    var cropper = Cropper()
    private var kept: StreamDecoder?

    /// Begins with no decoder kept.
    public init() {}

    /// A decoder for a stream, in the state of a new one; the last one where its description fits.
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

    /// Makes the next decoder a new one.
    func forgetDecoder() { kept = nil }

    /// Writes the part of a frame that a request asks for; returns false where swscale does not know the frame's pixel format.
    func crop(
        _ frame: borrowing Frame, of record: VideoRecord, _ request: PictureRequest, isStill: Bool,
        into destination: UnsafeMutableRawBufferPointer
    ) -> Bool {
        costs.time(.convert) {
            cropper.crop(
                frame, box: request.box, uprightWidth: record.width, uprightHeight: record.height, orientation: record.orientation,
                isFlipped: request.isFlipped, size: request.size, scaling: request.scaling, isStill: isStill, into: destination)
        }
    }
}

/// A decoder of libav's on one thread.
final class StreamDecoder {
    let description: StreamDescription
    let context: CodecContext
    /// Whether the decoder holds state that only its own stream explains, such as parameters that came later in the stream.
    var isBound = false
    private let costs: ReadingCosts
    /// The marked picture for which memory was taken last.
    private var marked: MarkedPicture?

    fileprivate init(_ description: StreamDescription, _ demuxer: borrowing Demuxer, _ costs: ReadingCosts) throws(MediaError) {
        let (path, parameters) = (demuxer.path, demuxer.stream.pointee.codecpar!)
        guard let codec = avcodec_find_decoder(parameters.pointee.codec_id) else {
            throw MediaError(.unsupported, path, "no decoder for \(String(cString: avcodec_get_name(parameters.pointee.codec_id)))")
        }
        guard Int64(parameters.pointee.width) * Int64(parameters.pointee.height) <= MediaLimits.maximumPixels else {
            throw MediaError(.tooBig, path, "pictures of \(parameters.pointee.width)x\(parameters.pointee.height)")
        }
        self.description = description
        self.costs = costs
        context = CodecContext(codec)
        try check(avcodec_parameters_to_context(context.pointer, parameters), .cannotOpen, path, "describing the stream")
        context.pointer.pointee.thread_count = 1
        context.pointer.pointee.pkt_timebase = demuxer.stream.pointee.time_base
        context.pointer.pointee.max_pixels = MediaLimits.maximumPixels
        if demuxer.assumesReordering { context.pointer.pointee.strict_std_compliance = FF_COMPLIANCE_STRICT }
        context.pointer.pointee.opaque = Unmanaged.passUnretained(self).toOpaque()
        context.pointer.pointee.get_buffer2 = { context, frame, flags in
            Unmanaged<StreamDecoder>.fromOpaque(context!.pointee.opaque).takeUnretainedValue().takeMemory(frame!, flags)
        }
        try check(avcodec_open2(context.pointer, codec, nil), .cannotOpen, path, "opening the decoder")
        costs.decodersOpened += 1
    }

    /// Gives the decoder memory for a picture.
    private func takeMemory(_ frame: UnsafeMutablePointer<AVFrame>, _ flags: Int32) -> Int32 {
        costs.framesDecoded += 1
        let code = avcodec_default_get_buffer2(context.pointer, frame, flags)
        if code >= 0, MarkedPicture.isNeeded(context.pointer.pointee.codec_id) { marked = MarkedPicture(frame) }
        return code
    }

    /// Whether the decoder has left the last picture unfinished. True once for each picture.
    func hasLeftPictureUnfinished() -> Bool {
        guard marked?.isUnfinished ?? false else { return false }
        marked = nil
        return true
    }

    /// Forgets the last stream, as after a seek.
    fileprivate func renew(for demuxer: borrowing Demuxer) {
        avcodec_flush_buffers(context.pointer)
        context.pointer.pointee.pkt_timebase = demuxer.stream.pointee.time_base
        // A decoder that had to hold back more pictures once keeps doing so, also for the next stream: the number is set anew.
        context.pointer.pointee.has_b_frames = demuxer.stream.pointee.codecpar.pointee.video_delay
    }
}

/// The description of a stream that a decoder gets before the first packet.
struct StreamDescription: Equatable {
    private let parameters: [UInt8]
    private let extradata: [UInt8]
    private let assumesReordering: Bool

    init(_ demuxer: borrowing Demuxer) {
        var parameters = demuxer.stream.pointee.codecpar.pointee
        extradata = Array(UnsafeBufferPointer(start: parameters.extradata, count: Int(parameters.extradata_size)))
        assumesReordering = demuxer.assumesReordering
        // The address of the extradata, and the bit rate, which depends on the file's length, mean nothing to a decoder.
        parameters.extradata = nil
        parameters.bit_rate = 0
        self.parameters = withUnsafeBytes(of: &parameters) { Array($0) }
    }
}

/// The memory of a picture that its decoder may leave unfinished without an error, as libav's decoder of VP8 does where a packet is too
/// short for its content. The rest of the picture is then what the memory held before. So the memory is zeroed, for the same result
/// everywhere, and its last pixels get a mark by which an unfinished picture is recognised.
private final class MarkedPicture {
    /// 16 bytes that no picture ends in.
    private static let mark: [UInt8] = [0x5a, 0xc3, 0x1e, 0x97, 0x08, 0xe4, 0x6d, 0xb1, 0x72, 0x2f, 0xd8, 0x45, 0x9b, 0x36, 0xfa, 0x13]

    static func isNeeded(_ codec: AVCodecID) -> Bool { [AV_CODEC_ID_VP7, AV_CODEC_ID_VP8].contains(codec) }

    /// Shares the memory.
    private let picture = Frame()

    init(_ frame: UnsafeMutablePointer<AVFrame>) {
        precondition(av_frame_ref(picture.pointer, frame) >= 0, "no memory for a frame")
        for buffer in [frame.pointee.buf.0, frame.pointee.buf.1, frame.pointee.buf.2] {
            if let buffer { memset(buffer.pointee.data, 0, buffer.pointee.size) }
        }
        end.copyBytes(from: Self.mark.suffix(end.count))
    }

    var isUnfinished: Bool { end.elementsEqual(Self.mark.suffix(end.count)) }

    /// The last pixels of the last row of luma, which are decoded last.
    private var end: UnsafeMutableRawBufferPointer {
        let count = min(picture.width, Self.mark.count)
        let last = picture.pointer.pointee.data.0! + (picture.height - 1) * Int(picture.pointer.pointee.linesize.0) + picture.width - count
        return UnsafeMutableRawBufferPointer(start: last, count: count)
    }
}
