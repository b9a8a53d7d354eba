import Base
import CFFmpeg
import Foundation
import Sampling

/// How videos are encoded anew, to be small and quick to seek in: H.264 in MP4, square pixels, the colours and the turn of the source.
///
/// Frames and their times are the source's, counted from its first frame, so that samples mean the same frames.
public struct Transcoding: Codable, Equatable, Sendable {
    /// Pixels of the shorter side, even; smaller videos keep their size.
    public var shortSide: Int
    /// Frames between key frames at most.
    public var groupOfPictures: Int
    /// B-frames in a row at most.
    public var bFrames: Int
    /// Frames a second of folders of pictures; nil where the sources are videos.
    public var pictureRate: Rational?

    /// The peak signal-to-noise ratio against the scaled source, in dB, that every video reaches: 38, and half a decibel by which two
    /// bicubic scalers may differ.
    public static let leastQuality = 38.5
    /// x264's constant rate factor to begin with, its default; where its quality is too low, a lower one follows.
    private static let firstRateFactor = 23.0
    /// Seconds for reading the file that was written, years: Tandem wrote it, so it needs no limit.
    private static let timeout = 1e9

    public init(shortSide: Int = 256, groupOfPictures: Int = 16, bFrames: Int = 2, pictureRate: Rational? = nil) {
        self.shortSide = shortSide
        self.groupOfPictures = groupOfPictures
        self.bFrames = bFrames
        self.pictureRate = pictureRate
    }

    /// Measurements of a video before encoding it anew, and of the result.
    public struct Figures: Codable, Sendable {
        var bytesBefore: Int
        /// Peak signal-to-noise ratio in dB.
        var quality: Double
        var framesPerPairBefore: Double
        var framesPerPairAfter: Double
    }

    /// What was read from the source.
    private struct Source {
        var times: Timestamps
        var timeBase: Rational
        var damagedFrames: [Int] = []
        var framesPerPair: Double
    }

    /// Encodes a video, or a folder of pictures.
    ///
    /// - Parameters:
    ///   - source: the video, or the folder of pictures.
    ///   - name: the path of the result, relative to `output`.
    ///   - checkpoint: called before every picture; throws to end the work.
    /// - Returns: the result's record.
    func transcode(
        _ source: MediaLocation, to name: String, in output: String, checkpoint: () throws(MediaError) -> Void
    ) throws(MediaError) -> (record: VideoRecord, quality: Double, framesPerPairBefore: Double) {
        let target = output + "/" + name
        do {
            try FileManager.default.createDirectory(
                atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        } catch { throw MediaError(.cannotWrite, target, "creating its folder: \(sentence(of: error))") }

        var rateFactor = Self.firstRateFactor
        while true {
            let options = VideoWriter.Options(
                groupOfPictures: groupOfPictures, bFrames: bFrames, constantRateFactor: rateFactor, isQuickToDecode: true)
            let sink = TranscodingSink(path: target, shortSide: shortSide, options: options)
            let encoded =
                if let pictureRate {
                    try encodePictures(of: source.path, rate: pictureRate, into: sink, checkpoint)
                } else {
                    try encodeVideo(source, into: sink, checkpoint)
                }
            let quality = try sink.finish()
            guard quality >= Self.leastQuality || rateFactor == 0 else {
                // A step of the rate factor is worth about a decibel.
                rateFactor = max(0, rateFactor - (Self.leastQuality - quality).rounded(.up) - 1)
                continue
            }
            let file = try sink.file(times: encoded.times, timeBase: encoded.timeBase)
            var record = try VideoRecord.inspect(name, at: MediaLocation(file.temporaryPath), timeout: Self.timeout) {
                (_, _, _) throws(MediaError) in
                try checkpoint()
            }
            guard record.shows(encoded.times, encoded.timeBase) else {
                throw MediaError(.cannotEncode, target, "the frames that were written are not at the times of the source's")
            }
            try file.keep()
            record.damagedFrames = encoded.damagedFrames
            return (record, quality, encoded.framesPerPair)
        }
    }

    private func encodeVideo(
        _ video: MediaLocation, into sink: TranscodingSink, _ checkpoint: () throws(MediaError) -> Void
    ) throws(MediaError) -> Source {
        let file = video.path
        let record = try VideoRecord.inspect(file, at: video) { (source, index, frame) throws(MediaError) in
            try checkpoint()
            if index == 0 {
                try sink.open(
                    frame, of: file, uprightSize: source.uprightSize(first: frame), orientation: source.orientation(first: frame),
                    frameRate: source.frameRate)
            }
            try sink.write(frame, of: file)
        }
        return Source(
            times: record.timestamps, timeBase: record.timeBase, damagedFrames: record.damagedFrames, framesPerPair: record.framesPerPair)
    }

    private func encodePictures(
        of folder: String, rate: Rational, into sink: TranscodingSink, _ checkpoint: () throws(MediaError) -> Void
    ) throws(MediaError) -> Source {
        let frameRate = AVRational(rate)
        let names = try pictureNames(in: folder)
        var size: (width: Int, height: Int)?
        for name in names {
            try checkpoint()
            let file = folder + "/" + name
            let frame = try decodeImage(file)
            let first = size ?? (frame.width, frame.height)
            guard first == (frame.width, frame.height) else {
                throw MediaError(
                    .unsupported, file,
                    "a picture of \(frame.width)x\(frame.height), and the first one, \(names[0]), is of \(first.width)x\(first.height)")
            }
            if size == nil {
                size = first
                try sink.open(frame, of: file, uprightSize: first, orientation: Orientation(), frameRate: frameRate)
            }
            try sink.write(frame, of: file)
        }
        guard names.count >= 2 else { throw MediaError(.tooShort, folder, "one picture, and a video has two or more") }
        // Every picture can be decoded alone.
        return Source(
            times: .even(start: 0, step: 1, count: names.count), timeBase: Rational(rate.denominator, rate.numerator), framesPerPair: 2)
    }
}

extension VideoRecord {
    /// Frames decoded for a pair of the published settings.
    var framesPerPair: Double {
        let published = FramePairSampler.Sampling()
        return framesPerPair(gap: published.frameGap[0]...published.frameGap[1], rate: published.timeline.rate)
    }

    /// Whether the frames are at given times, both counted from the first frame.
    fileprivate func shows(_ times: Timestamps, _ timeBase: Rational) -> Bool {
        let (own, other) = (AVRational(self.timeBase), AVRational(timeBase))
        return frameCount == times.count
            && (0..<frameCount).allSatisfy { av_compare_ts(timestamps[$0] - timestamps[0], own, times[$0] - times[0], other) == 0 }
    }
}

extension AVRational {
    fileprivate init(_ fraction: Rational) { self.init(num: Int32(fraction.numerator), den: Int32(fraction.denominator)) }
}
