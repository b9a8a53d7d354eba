import Base

/// How a record is written in messages and in manifests; its extent, which most have none of, is written apart.
extension VideoRecord {
    /// Writes what ``init(from:)`` reads.
    public func write(to writer: inout ByteWriter) {
        writer.write(path)
        writer.write(bytes)
        writer.write(width)
        writer.write(height)
        writer.write(orientation.number)
        writer.write(timeBase.numerator)
        writer.write(timeBase.denominator)
        switch timestamps {
        case .even(let start, let step, let count):
            writer.write(UInt8(0))
            writer.write(start)
            writer.write(step)
            writer.write(count)
        case .table(let times):
            writer.write(UInt8(1))
            writer.write(times)
        }
        writer.write(keyFrames.map(Int64.init))
        writer.write(damagedFrames.map(Int64.init))
        writer.write(contentHash)
    }

    /// Reads a record and makes sure that samples can be drawn from it.
    public init(from reader: inout ByteReader) throws(MalformedBytes) {
        let path = try reader.readText(limit: 4096)
        let bytes = try reader.readInt()
        let width = try reader.readInt()
        let height = try reader.readInt()
        guard let orientation = Orientation(number: try reader.read()) else { throw MalformedBytes("an orientation of an unknown kind") }
        let timeBase = Rational(try reader.readInt(), try reader.readInt())
        let timestamps: Timestamps
        switch try reader.read(UInt8.self) {
        case 0: timestamps = .even(start: try reader.read(), step: try reader.read(), count: try reader.readInt())
        case 1: timestamps = .table(try reader.readList())
        default: throw MalformedBytes("timestamps of an unknown kind")
        }
        let keyFrames = try reader.readList(of: Int64.self).map(Int.init)
        let damagedFrames = try reader.readList(of: Int64.self).map(Int.init)
        let contentHash = try reader.readText(limit: 64)
        self.init(
            path: path, bytes: bytes, width: width, height: height, orientation: orientation, timeBase: timeBase, timestamps: timestamps,
            keyFrames: keyFrames, damagedFrames: damagedFrames, contentHash: contentHash)
        if let fault { throw MalformedBytes("\(path): \(fault)") }
    }

    /// What makes this record impossible, nil where nothing does. Whoever reads records from outside asks before using them.
    public var fault: String? {
        // Names are bytes: to Swift a slash with an accent on it is another character, to the system it is a slash.
        let names = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if names[0].isEmpty || names.contains(where: { $0.elementsEqual("..".utf8) }) {
            return "the path leads out of the media folder"
        }
        if width < 1 || height < 1 { return "a picture of \(width)x\(height)" }
        if timeBase.numerator < 1 || timeBase.denominator < 1 { return "a time base of \(timeBase.numerator)/\(timeBase.denominator)" }
        if frameCount < 1 { return "no frames" }
        if frameCount > 1 << 24 { return "\(frameCount) frames, more than any video here can have" }
        if !timestamps.areAscending { return "presentation times that do not ascend" }
        if !isWithinArithmetic { return "a duration or a size beyond all bounds" }
        if !isListOfFrames(keyFrames) { return "key frames that do not ascend or are no frames" }
        if !isListOfFrames(damagedFrames) { return "damaged frames that do not ascend or are no frames" }
        if damagedFrames.count > maximumDamagedFrames { return "\(damagedFrames.count) damaged frames of \(frameCount)" }
        if contentHash.utf8.count != 32 { return "a content hash of \(contentHash.utf8.count) digits, not 32" }
        return extentFault
    }

    private func isListOfFrames(_ frames: [Int]) -> Bool {
        (frames.first ?? 0) >= 0 && (frames.last ?? 0) < frameCount && zip(frames, frames.dropFirst()).allSatisfy { $0 < $1 }
    }
}
