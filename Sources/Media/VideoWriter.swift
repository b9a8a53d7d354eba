import CFFmpeg
import Glibc
import Sampling

/// Writes H.264 in MP4 through libx264: one thread, BT.709, limited range, 4:2:0; the same pictures and options give the same bytes.
///
/// The file appears under its name when ``finish()`` returns; until then, and for good where that is never called, nothing is there.
public struct VideoWriter: ~Copyable {
    /// How to encode.
    public struct Options: Sendable {
        /// Frames between key frames at most; a change of scene starts a new group earlier.
        public var groupOfPictures: Int
        /// B-frames in a row at most.
        public var bFrames: Int
        /// x264's constant rate factor: 0 lossless, 18 nearly transparent, 23 its default, 51 worst.
        public var constantRateFactor: Double
        /// x264's name for speed against size, "ultrafast" … "veryslow".
        public var preset: String

        public init(groupOfPictures: Int = 250, bFrames: Int = 2, constantRateFactor: Double = 23, preset: String = "veryfast") {
            self.groupOfPictures = groupOfPictures
            self.bFrames = bFrames
            self.constantRateFactor = constantRateFactor
            self.preset = preset
        }
    }

    private let output: OutputFile
    private let encoder: CodecContext
    private let converter: Scaler
    private let picture: Frame
    private let packet = Packet()
    private let bytesPerPicture: Int
    private var frameCount: Int64 = 0

    /// Opens the encoder and a temporary file beside `path`.
    ///
    /// - Parameters:
    ///   - width: pixels, even.
    ///   - height: pixels, even.
    /// - Throws: where x264 is missing or refuses the options, and where the file cannot be created.
    public init(path: String, width: Int, height: Int, framesPerSecond: Rational, options: Options = Options()) throws(MediaError) {
        silenceLibav()
        guard width > 0, height > 0, width % 2 == 0, height % 2 == 0 else {
            throw MediaError(.cannotWrite, path, "a picture of \(width)x\(height) has no whole 4:2:0 chroma; use even sizes")
        }
        guard let codec = avcodec_find_encoder_by_name("libx264") else {
            throw MediaError(.cannotWrite, path, "this libavcodec has no libx264; install one that has")
        }
        let encoder = CodecContext(codec)
        encoder.pointer.configure(width: width, height: height, framesPerSecond: framesPerSecond, options: options)
        try check(avcodec_open2(encoder.pointer, codec, nil), .cannotWrite, path, "opening libx264")
        let output = try OutputFile.create(path: path, encoder: encoder)

        var source = Conversion.Side(width: Int32(width), height: Int32(height), format: AV_PIX_FMT_RGB24.rawValue)
        source.isFullRange = true
        var destination = source
        destination.format = AV_PIX_FMT_YUV420P.rawValue
        destination.matrix = AVCOL_SPC_BT709.rawValue
        destination.isFullRange = false
        guard let scaler = Scaler(Conversion(source: source, destination: destination)) else {
            throw MediaError(.cannotWrite, path, "swscale cannot convert \(width)x\(height) RGB to 4:2:0")
        }

        self.encoder = encoder
        self.output = output
        converter = scaler
        picture = Frame(width: width, height: height, format: AV_PIX_FMT_YUV420P)
        bytesPerPicture = width * height * 3
    }

    /// Appends a picture.
    ///
    /// - Parameter rgb: packed pixels `[height, width, 3]`, one byte a channel.
    public mutating func write(rgb: UnsafeRawBufferPointer) throws(MediaError) {
        precondition(rgb.count == bytesPerPicture, "a picture of \(rgb.count) bytes in a video of \(bytesPerPicture)")
        let pixels = UnsafeMutablePointer(mutating: rgb.baseAddress!.assumingMemoryBound(to: UInt8.self))
        try check(av_frame_make_writable(picture.pointer), .cannotWrite, output.path, "making room for a picture")
        converter.scale(Planes(packed: pixels, stride: Int(encoder.pointer.pointee.width) * 3), into: Planes(picture))
        picture.pointer.pointee.pts = frameCount
        frameCount += 1
        try encode(picture.pointer)
    }

    /// Writes what the encoder still holds and gives the file its name.
    public consuming func finish() throws(MediaError) {
        try encode(nil)
        try output.finish()
    }

    private func encode(_ frame: UnsafeMutablePointer<AVFrame>?) throws(MediaError) {
        try check(avcodec_send_frame(encoder.pointer, frame), .cannotWrite, output.path, "encoding")
        while true {
            let code = avcodec_receive_packet(encoder.pointer, packet.pointer)
            if code == wouldBlock || code == endOfFile { return }
            try check(code, .cannotWrite, output.path, "encoding")
            packet.pointer.pointee.duration = 1
            try output.write(packet, timeBase: encoder.pointer.pointee.time_base)
        }
    }
}

extension UnsafeMutablePointer<AVCodecContext> {
    fileprivate func configure(width: Int, height: Int, framesPerSecond: Rational, options: VideoWriter.Options) {
        pointee.width = Int32(width)
        pointee.height = Int32(height)
        pointee.pix_fmt = AV_PIX_FMT_YUV420P
        pointee.time_base = AVRational(num: Int32(framesPerSecond.denominator), den: Int32(framesPerSecond.numerator))
        pointee.framerate = AVRational(num: Int32(framesPerSecond.numerator), den: Int32(framesPerSecond.denominator))
        pointee.sample_aspect_ratio = AVRational(num: 1, den: 1)
        pointee.gop_size = Int32(options.groupOfPictures)
        pointee.max_b_frames = Int32(options.bFrames)
        pointee.thread_count = 1
        pointee.flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER
        pointee.colorspace = AVCOL_SPC_BT709
        pointee.color_primaries = AVCOL_PRI_BT709
        pointee.color_trc = AVCOL_TRC_BT709
        pointee.color_range = AVCOL_RANGE_MPEG
        av_opt_set(pointee.priv_data, "preset", options.preset, 0)
        // x264's macroblock tree reads memory that it never wrote: with it the same pictures encode differently from run to run.
        av_opt_set_int(pointee.priv_data, "mbtree", 0, 0)
        av_opt_set_double(pointee.priv_data, "crf", options.constantRateFactor, 0)
    }
}

/// An MP4 file being written under a temporary name.
struct OutputFile: ~Copyable {
    let path: String
    private let temporaryPath: String
    private let context: UnsafeMutablePointer<AVFormatContext>

    /// Creates the file and writes its header.
    static func create(path: String, encoder: borrowing CodecContext) throws(MediaError) -> OutputFile {
        var allocated: UnsafeMutablePointer<AVFormatContext>?
        try check(avformat_alloc_output_context2(&allocated, nil, "mp4", nil), .cannotWrite, path, "preparing MP4")
        let file = OutputFile(path: path, owning: allocated!)
        try file.open(encoder)
        return file
    }

    private init(path: String, owning context: UnsafeMutablePointer<AVFormatContext>) {
        self.path = path
        temporaryPath = path + ".partial"
        self.context = context
    }

    private func open(_ encoder: borrowing CodecContext) throws(MediaError) {
        context.pointee.flags |= AVFMT_FLAG_BITEXACT
        guard let stream = avformat_new_stream(context, nil) else { throw MediaError(.cannotWrite, path, "no memory for a stream") }
        stream.pointee.time_base = encoder.pointer.pointee.time_base
        stream.pointee.avg_frame_rate = encoder.pointer.pointee.framerate
        try check(avcodec_parameters_from_context(stream.pointee.codecpar, encoder.pointer), .cannotWrite, path, "describing the stream")
        try check(avio_open(&context.pointee.pb, "file:" + temporaryPath, AVIO_FLAG_WRITE), .cannotWrite, path, "creating the file")
        try check(avformat_write_header(context, nil), .cannotWrite, path, "writing the header")
    }

    func write(_ packet: borrowing Packet, timeBase: AVRational) throws(MediaError) {
        av_packet_rescale_ts(packet.pointer, timeBase, context.pointee.streams[0]!.pointee.time_base)
        packet.pointer.pointee.stream_index = 0
        try check(av_interleaved_write_frame(context, packet.pointer), .cannotWrite, path, "writing a packet")
    }

    consuming func finish() throws(MediaError) {
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
