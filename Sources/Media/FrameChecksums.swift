import Sampling

/// What each frame of a video holds: its time, its size in bytes and the MD5 of its raw planes, in presentation order.
///
/// The planes are hashed as the decoder gives them: neither turned upright, nor scaled, nor converted.
public struct FrameChecksums: Equatable, Sendable {
    /// One frame.
    public struct Entry: Equatable, Sendable {
        /// Presentation time in ticks of the time base.
        public var time: Int64
        /// Bytes of the planes without gaps.
        public var byteCount: Int
        /// MD5 of those bytes, 32 hexadecimal digits.
        public var md5: String
    }

    /// Seconds a tick.
    public let timeBase: Rational
    /// Width and height as stored of the first frame.
    public let size: (width: Int, height: Int)
    /// One for each frame, in presentation order.
    public let entries: [Entry]

    /// Decodes a video from its first frame to its last.
    ///
    /// - Throws: where the file does not open or gives no frame.
    public init(sequential path: String) throws(MediaError) {
        var hashes: [(byteCount: Int, md5: String)] = []
        var size = (width: 0, height: 0)
        let record = try VideoRecord(inspecting: path, in: "", minimumFrames: 1) { index, frame in
            if index == 0 { size = (frame.width, frame.height) }
            hashes.append((frame.byteCount, frame.hexadecimalHash(.md5)))
        }
        self.init(record: record, size: size, hashes: hashes)
    }

    /// Decodes every frame of a video after a seek of its own, in an order shuffled by a seed.
    ///
    /// - Throws: where the file does not open or gives no frame, and where a frame cannot be decoded alone.
    public init(random path: String, seed: UInt64) throws(MediaError) {
        let record = try VideoRecord(inspecting: path, in: "", minimumFrames: 1)
        let reader = try VideoReader(path: path, record: record)
        let order = EpochPermutation(count: record.frameCount, seed: seed, epoch: 0)
        var hashes = [(byteCount: Int, md5: String)](repeating: (0, ""), count: record.frameCount)
        var size = (width: 0, height: 0)
        for position in 0..<order.count {
            try reader.visit([order[position]]) { index, frame in
                if index == 0 { size = (frame.width, frame.height) }
                hashes[index] = (frame.byteCount, frame.hexadecimalHash(.md5))
            }
        }
        self.init(record: record, size: size, hashes: hashes)
    }

    private init(record: VideoRecord, size: (width: Int, height: Int), hashes: [(byteCount: Int, md5: String)]) {
        timeBase = record.timeBase
        self.size = size
        entries = hashes.indices.map { Entry(time: record.timestamps[$0], byteCount: hashes[$0].byteCount, md5: hashes[$0].md5) }
    }

    public static func == (a: Self, b: Self) -> Bool { a.timeBase == b.timeBase && a.size == b.size && a.entries == b.entries }

    /// The list in the form of `ffmpeg -f framemd5`, version 2. Durations are the mean distance of the frames.
    public var frameMD5: String {
        let span = entries[entries.count - 1].time - entries[0].time
        let duration = entries.count > 1 ? Int((Double(span) / Double(entries.count - 1)).rounded()) : 1
        func column(_ value: some CustomStringConvertible, _ width: Int) -> String {
            let text = value.description
            return String(repeating: " ", count: max(0, width - text.count)) + text
        }
        let rows = entries.map {
            "0, \(column($0.time, 10)), \(column($0.time, 10)), \(column(duration, 8)), \(column($0.byteCount, 8)), \($0.md5)\n"
        }
        return """
            #format: frame checksums
            #version: 2
            #hash: MD5
            #software: tandem
            #tb 0: \(timeBase.numerator)/\(timeBase.denominator)
            #media_type 0: video
            #codec_id 0: rawvideo
            #dimensions 0: \(size.width)x\(size.height)
            #stream#, dts,        pts, duration,     size, hash

            """ + rows.joined()
    }
}
