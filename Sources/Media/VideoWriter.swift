import CFFmpeg
import Sampling

/// Writes RGB pictures at an even rate as H.264 in MP4: BT.709, limited range, 4:2:0; the same pictures and options give the same bytes.
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
        /// Leaves out what makes decoding slow: arithmetic coding, the loop filter and weighted prediction (x264's "fastdecode").
        public var isQuickToDecode: Bool

        public init(
            groupOfPictures: Int = 250, bFrames: Int = 2, constantRateFactor: Double = 23, preset: String = "veryfast",
            isQuickToDecode: Bool = false
        ) {
            self.groupOfPictures = groupOfPictures
            self.bFrames = bFrames
            self.constantRateFactor = constantRateFactor
            self.preset = preset
            self.isQuickToDecode = isQuickToDecode
        }
    }

    private let encoder: VideoEncoder
    private let path: String
    private let converter: Scaler
    private let picture: Frame
    private let bytesPerPicture: Int
    private let timeBase: Rational
    private var frameCount = 0

    /// Opens the encoder and a nameless file in the folder of `path`.
    ///
    /// - Parameters:
    ///   - width: pixels, even.
    ///   - height: pixels, even.
    /// - Throws: where x264 is missing or refuses the options, and where the file cannot be created.
    public init(path: String, width: Int, height: Int, framesPerSecond: Rational, options: Options = Options()) throws(MediaError) {
        let rate = AVRational(num: Int32(framesPerSecond.numerator), den: Int32(framesPerSecond.denominator))
        let format = VideoEncoder.Format(width: width, height: height, frameRate: rate)
        let encoder = try VideoEncoder(path: path, format: format, options: options)

        var source = Conversion.Side(width: Int32(width), height: Int32(height), format: AV_PIX_FMT_RGB24.rawValue)
        source.isFullRange = true
        var destination = source
        destination.format = AV_PIX_FMT_YUV420P.rawValue
        destination.matrix = format.matrix.rawValue
        destination.isFullRange = false
        guard let scaler = Scaler(Conversion(source: source, destination: destination)) else {
            throw MediaError(.cannotWrite, path, "swscale cannot convert \(width)x\(height) RGB to 4:2:0")
        }
        self.encoder = encoder
        self.path = path
        converter = scaler
        picture = Frame(width: width, height: height, format: AV_PIX_FMT_YUV420P)
        bytesPerPicture = width * height * 3
        timeBase = Rational(framesPerSecond.denominator, framesPerSecond.numerator)
    }

    /// Appends a picture.
    ///
    /// - Parameter rgb: packed pixels `[height, width, 3]`, one byte a channel.
    public mutating func write(rgb: UnsafeRawBufferPointer) throws(MediaError) {
        precondition(rgb.count == bytesPerPicture, "a picture of \(rgb.count) bytes in a video of \(bytesPerPicture)")
        let pixels = UnsafeMutablePointer(mutating: rgb.baseAddress!.assumingMemoryBound(to: UInt8.self))
        try check(av_frame_make_writable(picture.pointer), .cannotWrite, path, "making room for a picture")
        converter.scale(Planes(packed: pixels, stride: picture.width * 3), into: Planes(picture))
        picture.pointer.pointee.pts = Int64(frameCount)
        frameCount += 1
        try encoder.encode(picture.pointer)
    }

    /// Writes what the encoder still holds and gives the file its name.
    public consuming func finish() throws(MediaError) {
        try encoder.encode(nil)
        try encoder.write(times: .even(start: 0, step: 1, count: frameCount), timeBase: timeBase).keep()
    }
}
