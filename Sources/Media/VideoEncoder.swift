import CFFmpeg
import Files
import Glibc

/// H.264 in MP4 through libx264, on one thread: the same pictures and options give the same bytes.
///
/// The file appears under its name when ``finish()`` returns; until then, and for good where that is never called, nothing is there.
struct VideoEncoder: ~Copyable {
    /// What all pictures of a video share.
    struct Format {
        /// Pixels, even.
        var width: Int
        var height: Int
        /// Of the pictures' times.
        var timeBase: AVRational
        /// 0/1 where there is no one rate.
        var frameRate: AVRational
        var matrix = AVCOL_SPC_BT709
        var primaries = AVCOL_PRI_BT709
        var transfer = AVCOL_TRC_BT709
        var range = AVCOL_RANGE_MPEG
        /// How the pictures are to be turned, as libavutil/display.h has it; empty where they stand upright.
        var displayMatrix: [Int32] = []
    }

    let context: CodecContext
    private let output: OutputFile
    private let packet = Packet()

    /// Opens the encoder and a temporary file beside `path`.
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
        context.pointer.configure(format, options)
        try check(avcodec_open2(context.pointer, codec, nil), .cannotWrite, path, "opening libx264")
        output = try OutputFile.create(path: path, encoder: context, displayMatrix: format.displayMatrix)
        self.context = context
    }

    /// Appends a picture of 8-bit 4:2:0, its time set; nil writes what the encoder still holds.
    ///
    /// - Parameters:
    ///   - duration: how long a picture is shown, in units of the time base.
    ///   - inspect: sees each packet before it is written.
    func encode(
        _ frame: UnsafeMutablePointer<AVFrame>?, duration: Int64, inspect: (borrowing Packet) throws(MediaError) -> Void = { _ in }
    ) throws(MediaError) {
        try check(avcodec_send_frame(context.pointer, frame), .cannotWrite, output.path, "encoding")
        while true {
            let code = avcodec_receive_packet(context.pointer, packet.pointer)
            if code == wouldBlock || code == endOfFile { return }
            try check(code, .cannotWrite, output.path, "encoding")
            packet.pointer.pointee.duration = duration
            try inspect(packet)
            try output.write(packet, timeBase: context.pointer.pointee.time_base)
        }
    }

    /// Completes the file and gives it its name. Call once, after the last picture was encoded.
    func finish() throws(MediaError) { try output.finish() }
}

extension UnsafeMutablePointer<AVCodecContext> {
    fileprivate func configure(_ format: VideoEncoder.Format, _ options: VideoWriter.Options) {
        pointee.width = Int32(format.width)
        pointee.height = Int32(format.height)
        pointee.pix_fmt = AV_PIX_FMT_YUV420P
        pointee.time_base = format.timeBase
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
        av_opt_set(pointee.priv_data, "preset", options.preset, 0)
        if options.isQuickToDecode { av_opt_set(pointee.priv_data, "tune", "fastdecode", 0) }
        // x264's macroblock tree reads memory that it never wrote: with it the same pictures encode differently from run to run.
        av_opt_set_int(pointee.priv_data, "mbtree", 0, 0)
        av_opt_set_double(pointee.priv_data, "crf", options.constantRateFactor, 0)
    }
}

/// An MP4 file being written under a temporary name.
private struct OutputFile: ~Copyable {
    let path: String
    private let temporaryPath: String
    private let context: UnsafeMutablePointer<AVFormatContext>

    /// Creates the file and writes its header.
    static func create(path: String, encoder: borrowing CodecContext, displayMatrix: [Int32]) throws(MediaError) -> OutputFile {
        var allocated: UnsafeMutablePointer<AVFormatContext>?
        try check(avformat_alloc_output_context2(&allocated, nil, "mp4", nil), .cannotWrite, path, "preparing MP4")
        let file = OutputFile(path: path, owning: allocated!)
        try file.open(encoder, displayMatrix)
        return file
    }

    private init(path: String, owning context: UnsafeMutablePointer<AVFormatContext>) {
        self.path = path
        temporaryPath = partialPath(of: path)
        self.context = context
    }

    private func open(_ encoder: borrowing CodecContext, _ displayMatrix: [Int32]) throws(MediaError) {
        context.pointee.flags |= AVFMT_FLAG_BITEXACT
        guard let stream = avformat_new_stream(context, nil) else { throw MediaError(.cannotWrite, path, "no memory for a stream") }
        stream.pointee.time_base = encoder.pointer.pointee.time_base
        stream.pointee.avg_frame_rate = encoder.pointer.pointee.framerate
        try check(avcodec_parameters_from_context(stream.pointee.codecpar, encoder.pointer), .cannotWrite, path, "describing the stream")
        if !displayMatrix.isEmpty {
            let size = displayMatrix.count * MemoryLayout<Int32>.size
            memcpy(av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, size)!, displayMatrix, size)
        }
        try check(avio_open(&context.pointee.pb, "file:" + temporaryPath, AVIO_FLAG_WRITE), .cannotWrite, path, "creating the file")
        try check(avformat_write_header(context, nil), .cannotWrite, path, "writing the header")
    }

    func write(_ packet: borrowing Packet, timeBase: AVRational) throws(MediaError) {
        av_packet_rescale_ts(packet.pointer, timeBase, context.pointee.streams[0]!.pointee.time_base)
        packet.pointer.pointee.stream_index = 0
        try check(av_interleaved_write_frame(context, packet.pointer), .cannotWrite, path, "writing a packet")
    }

    func finish() throws(MediaError) {
        try check(av_write_trailer(context), .cannotWrite, path, "writing the index")
        try check(avio_closep(&context.pointee.pb), .cannotWrite, path, "closing the file")
        guard rename(temporaryPath, path) == 0 else {
            throw MediaError(.cannotWrite, path, "renaming \(temporaryPath): \(String(cString: strerror(errno)))")
        }
    }

    // After a good finish() no file is open and the temporary name is gone.
    deinit {
        avio_closep(&context.pointee.pb)
        unlink(temporaryPath)
        avformat_free_context(context)
    }
}
