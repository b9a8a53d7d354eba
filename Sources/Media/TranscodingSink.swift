import CFFmpeg
import Sampling

/// Scales and encodes pictures into a transcoded file, and measures them against what a decoder makes of the packets.
final class TranscodingSink {
    private let path: String
    private let shortSide: Int
    private let options: VideoWriter.Options
    private var stage: Stage?

    /// The parts that can be opened only when the first picture is known.
    private final class Stage {
        let encoder: VideoEncoder
        let meter: QualityMeter
        let target: Conversion.Side
        var frameCount: Int64 = 0
        var conversion: Conversion
        var scaler: Scaler

        init(_ encoder: consuming VideoEncoder, _ meter: QualityMeter, _ conversion: Conversion, _ scaler: consuming Scaler) {
            self.encoder = encoder
            self.meter = meter
            self.conversion = conversion
            self.scaler = scaler
            target = conversion.destination
        }
    }

    init(path: String, shortSide: Int, options: VideoWriter.Options) {
        self.path = path
        self.shortSide = shortSide
        self.options = options
    }

    /// Opens the encoder for pictures like the first one.
    ///
    /// - Parameters:
    ///   - source: the file that the picture is of, for errors.
    ///   - uprightSize: how the picture is to be seen, rotated and with square pixels.
    func open(
        _ frame: borrowing Frame, of source: String, uprightSize: (width: Int, height: Int), orientation: Orientation,
        frameRate: AVRational
    ) throws(MediaError) {
        let (width, height) = orientation.isTransposed ? (uprightSize.height, uprightSize.width) : uprightSize
        let scale = min(
            1, Double(shortSide) / Double(min(width, height)), Double(VideoEncoder.maximumSide) / Double(max(width, height)))
        func even(_ side: Int) -> Int { max(2, Int((Double(side) * scale / 2).rounded()) * 2) }
        var format = VideoEncoder.Format(width: even(width), height: even(height), frameRate: frameRate)
        let side = self.side(frame)
        if !side.isRGB {
            format.matrix = frame.pointer.pointee.colorspace
            format.primaries = frame.pointer.pointee.color_primaries
            format.transfer = frame.pointer.pointee.color_trc
            format.range = side.isFullRange ? AVCOL_RANGE_JPEG : frame.pointer.pointee.color_range
        }
        format.displayMatrix = orientation.displayMatrix
        var target = Conversion.Side(width: Int32(format.width), height: Int32(format.height), format: AV_PIX_FMT_YUV420P.rawValue)
        target.matrix = format.matrix.rawValue
        target.isFullRange = format.range == AVCOL_RANGE_JPEG
        let conversion = Conversion(source: side, destination: target)
        let scaler = try makeScaler(conversion, source)
        let encoder = try VideoEncoder(path: path, format: format, options: options)
        let meter = try QualityMeter(encoder.context, path: path)
        stage = Stage(encoder, meter, conversion, scaler)
    }

    /// Appends a picture of a file. Pictures may change their size, and are scaled to the first one's.
    func write(_ frame: borrowing Frame, of source: String) throws(MediaError) {
        let stage = stage!
        let side = self.side(frame)
        if side != stage.conversion.source {
            stage.conversion = Conversion(source: side, destination: stage.target)
            stage.scaler = try makeScaler(stage.conversion, source)
        }
        let picture = QualityMeter.Picture(width: Int(stage.target.width), height: Int(stage.target.height))
        stage.scaler.scale(Planes(frame), into: Planes(picture.frame))
        picture.frame.pointer.pointee.pts = stage.frameCount
        stage.frameCount += 1
        stage.meter.expect(picture)
        try encode(picture.frame.pointer, stage)
    }

    /// Encodes the pictures that the encoder still holds.
    ///
    /// - Returns: the peak signal-to-noise ratio of the whole video in dB.
    func finish() throws(MediaError) -> Double {
        try encode(nil, stage!)
        return try stage!.meter.finish()
    }

    /// Writes the file, its frames at the times given in ticks of the time base.
    func file(times: Timestamps, timeBase: Rational) throws(MediaError) -> MP4File {
        try stage!.encoder.write(times: times, timeBase: timeBase)
    }

    private func encode(_ frame: UnsafeMutablePointer<AVFrame>?, _ stage: Stage) throws(MediaError) {
        try stage.encoder.encode(frame) { (packet) throws(MediaError) in try stage.meter.measure(packet) }
    }

    private func side(_ frame: borrowing Frame) -> Conversion.Side {
        var side = Conversion.Side(frame)
        if side.isRGB { side.isFullRange = true }
        return side
    }

    private func makeScaler(_ conversion: Conversion, _ source: String) throws(MediaError) -> Scaler {
        guard let scaler = Scaler(conversion) else { throw conversion.source.unreadable(in: source) }
        return scaler
    }
}
