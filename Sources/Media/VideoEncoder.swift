import CFFmpeg
import Sampling

/// H.264 in MP4 through libx264, on one thread: the same pictures and options give the same bytes.
///
/// Pictures are encoded by their number; the times at which they are shown are given after the last one.
struct VideoEncoder: ~Copyable {
    /// What all pictures of a video share.
    struct Format {
        /// Pixels, even.
        var width: Int
        var height: Int
        /// Frames a second of most of the video, for x264's rate control.
        var frameRate: AVRational
        var matrix = AVCOL_SPC_BT709
        var primaries = AVCOL_PRI_BT709
        var transfer = AVCOL_TRC_BT709
        var range = AVCOL_RANGE_MPEG
        /// How the pictures are to be turned, as libavutil/display.h has it; empty where they stand upright.
        var displayMatrix: [Int32] = []
    }

    /// Pixels that x264 takes at most.
    static let maximumSide = 16384

    let context: CodecContext
    private let path: String
    private let displayMatrix: [Int32]
    private let spool: PacketSpool
    private let packet = Packet()

    /// Opens the encoder and a nameless file in the folder of `path`.
    ///
    /// - Throws: where x264 is missing or refuses the options, and where the file cannot be created.
    init(path: String, format: Format, options: VideoWriter.Options) throws(MediaError) {
        silenceLibav()
        guard format.width > 0, format.height > 0, format.width % 2 == 0, format.height % 2 == 0 else {
            throw MediaError(.cannotWrite, path, "a picture of \(format.width)x\(format.height) has no whole 4:2:0 chroma; use even sizes")
        }
        guard let codec = avcodec_find_encoder_by_name("libx264") else {
            throw MediaError(.cannotWrite, path, "this libavcodec has no libx264; install one that has")
        }
        let context = CodecContext(codec)
        try context.pointer.configure(format, options, path: path)
        try check(avcodec_open2(context.pointer, codec, nil), .cannotEncode, path, "opening libx264")
        spool = try PacketSpool(for: path)
        self.context = context
        self.path = path
        displayMatrix = format.displayMatrix
    }

    /// Appends a picture of 8-bit 4:2:0, its number set as its time; nil asks for what the encoder still holds.
    ///
    /// - Parameter inspect: sees each packet.
    func encode(
        _ frame: UnsafeMutablePointer<AVFrame>?, inspect: (borrowing Packet) throws(MediaError) -> Void = { _ in }
    ) throws(MediaError) {
        try check(avcodec_send_frame(context.pointer, frame), .cannotEncode, path, "encoding")
        while true {
            let code = avcodec_receive_packet(context.pointer, packet.pointer)
            if code == wouldBlock || code == endOfFile { return }
            try check(code, .cannotEncode, path, "encoding")
            try inspect(packet)
            try spool.append(packet)
        }
    }

    /// Writes the file, under a temporary name. Call once, after the last picture was encoded.
    ///
    /// - Parameter times: of all pictures, in ticks of `timeBase`.
    func write(times: Timestamps, timeBase: Rational) throws(MediaError) -> MP4File {
        try MP4File.write(path: path, spool, of: context, times: times, timeBase: timeBase, displayMatrix: displayMatrix)
    }
}

extension UnsafeMutablePointer<AVCodecContext> {
    fileprivate func configure(_ format: VideoEncoder.Format, _ options: VideoWriter.Options, path: String) throws(MediaError) {
        pointee.width = Int32(format.width)
        pointee.height = Int32(format.height)
        pointee.pix_fmt = AV_PIX_FMT_YUV420P
        pointee.time_base = av_inv_q(format.frameRate)
        pointee.framerate = format.frameRate
        pointee.sample_aspect_ratio = AVRational(num: 1, den: 1)
        pointee.gop_size = Int32(options.groupOfPictures)
        pointee.max_b_frames = Int32(options.bFrames)
        pointee.thread_count = 1
        pointee.flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER
        pointee.colorspace = format.matrix
        pointee.color_primaries = format.primaries
        pointee.color_trc = format.transfer
        pointee.color_range = format.range
        let object = pointee.priv_data
        func note(_ code: Int32, _ name: String) throws(MediaError) {
            try check(code, .cannotEncode, path, "setting libx264's option \(name)")
        }
        try note(av_opt_set(object, "preset", options.preset, 0), "preset")
        if options.isQuickToDecode { try note(av_opt_set(object, "tune", "fastdecode", 0), "tune") }
        // x264's macroblock tree reads memory that it never wrote: with it the same pictures encode differently from run to run.
        try note(av_opt_set_int(object, "mbtree", 0, 0), "mbtree")
        try note(av_opt_set_double(object, "crf", options.constantRateFactor, 0), "crf")
    }
}
