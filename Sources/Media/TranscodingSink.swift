import CFFmpeg
import Sampling

/// Pictures on their way into a transcoded file: scaled, encoded, and measured against what a decoder makes of them.
final class TranscodingSink {
    private let path: String
    private let shortSide: Int
    private let options: VideoWriter.Options
    private var stage: Stage?

    /// What can be opened once a picture is there.
    private final class Stage {
        let encoder: VideoEncoder
        let meter: QualityMeter
        let target: Conversion.Side
        let firstTime: Int64
        var lastTime: Int64
        var duration: Int64 = 1
        var conversion: Conversion
        var scaler: Scaler

        init(_ encoder: consuming VideoEncoder, _ meter: QualityMeter, _ conversion: Conversion, _ scaler: consuming Scaler, time: Int64) {
            self.encoder = encoder
            self.meter = meter
            self.conversion = conversion
            self.scaler = scaler
            target = conversion.destination
            (firstTime, lastTime) = (time, time)
        }
    }

    init(path: String, shortSide: Int, options: VideoWriter.Options) {
        self.path = path
        self.shortSide = shortSide
        self.options = options
    }

    /// Opens the file for pictures like the first one.
    ///
    /// - Parameter uprightSize: how the picture is to be seen, rotated and with square pixels.
    func open(
        _ frame: borrowing Frame, uprightSize: (width: Int, height: Int), orientation: Orientation, timeBase: AVRational,
        frameRate: AVRational, startTime: Int64
    ) throws(MediaError) {
        let (width, height) = orientation.isTransposed ? (uprightSize.height, uprightSize.width) : uprightSize
        let scale = min(1, Double(shortSide) / Double(min(width, height)))
        func even(_ side: Int) -> Int { max(2, Int((Double(side) * scale / 2).rounded()) * 2) }
        var format = VideoEncoder.Format(width: even(width), height: even(height), timeBase: timeBase, frameRate: frameRate)
        let source = self.source(frame)
        if !source.isRGB {
            format.matrix = frame.pointer.pointee.colorspace
            format.primaries = frame.pointer.pointee.color_primaries
            format.transfer = frame.pointer.pointee.color_trc
            format.range = source.isFullRange ? AVCOL_RANGE_JPEG : frame.pointer.pointee.color_range
        }
        format.displayMatrix = orientation.displayMatrix
        var target = Conversion.Side(width: Int32(format.width), height: Int32(format.height), format: AV_PIX_FMT_YUV420P.rawValue)
        target.matrix = format.matrix.rawValue
        target.isFullRange = format.range == AVCOL_RANGE_JPEG
        let conversion = Conversion(source: source, destination: target)
        let scaler = try makeScaler(conversion)
        let encoder = try VideoEncoder(path: path, format: format, options: options)
        let meter = try QualityMeter(encoder.context, path: path)
        stage = Stage(encoder, meter, conversion, scaler, time: startTime)
    }

    /// Appends a picture. Pictures may change their size, and are scaled to the first one's.
    func write(_ frame: borrowing Frame, time: Int64) throws(MediaError) {
        let stage = stage!
        let source = self.source(frame)
        if source != stage.conversion.source {
            stage.conversion = Conversion(source: source, destination: stage.target)
            stage.scaler = try makeScaler(stage.conversion)
        }
        let picture = QualityMeter.Picture(width: Int(stage.target.width), height: Int(stage.target.height))
        stage.scaler.scale(Planes(frame), into: Planes(picture.frame))
        picture.frame.pointer.pointee.pts = time - stage.firstTime
        if time > stage.lastTime { stage.duration = time - stage.lastTime }
        stage.lastTime = time
        stage.meter.expect(picture)
        try encode(picture.frame.pointer, stage)
    }

    /// Encodes what is still on its way.
    ///
    /// - Returns: the peak signal-to-noise ratio of the whole video in dB.
    func finish() throws(MediaError) -> Double {
        try encode(nil, stage!)
        return try stage!.meter.finish()
    }

    /// Gives the file its name. Without this call it is gone with the sink.
    func keep() throws(MediaError) { try stage!.encoder.finish() }

    private func encode(_ frame: UnsafeMutablePointer<AVFrame>?, _ stage: Stage) throws(MediaError) {
        try stage.encoder.encode(frame, duration: stage.duration) { (packet) throws(MediaError) in try stage.meter.measure(packet) }
    }

    private func source(_ frame: borrowing Frame) -> Conversion.Side {
        var side = Conversion.Side(frame)
        if side.isRGB { side.isFullRange = true }
        return side
    }

    private func makeScaler(_ conversion: Conversion) throws(MediaError) -> Scaler {
        guard let scaler = Scaler(conversion) else {
            throw MediaError(.unsupported, path, "\(conversion.source.formatName) does not convert to 4:2:0")
        }
        return scaler
    }
}
