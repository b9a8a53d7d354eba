import Sampling

extension VideoRecord {
    func write(to writer: inout ByteWriter) {
        writer.write(path)
        writer.write(bytes)
        writer.write(width)
        writer.write(height)
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
        writer.write(contentHash)
    }

    /// Reads a record and makes sure that samples can be drawn from it.
    init(from reader: inout ByteReader) throws(MalformedBytes) {
        let path = try reader.readText(limit: 4096)
        let bytes = try reader.readInt()
        let width = try reader.readInt()
        let height = try reader.readInt()
        let timeBase = Rational(try reader.readInt(), try reader.readInt())
        let timestamps: Timestamps
        switch try reader.read(UInt8.self) {
        case 0: timestamps = .even(start: try reader.read(), step: try reader.read(), count: try reader.readInt())
        case 1: timestamps = .table(try reader.readList())
        default: throw MalformedBytes("timestamps of an unknown kind")
        }
        let keyFrames = try reader.readList(of: Int64.self)
        let contentHash = try reader.readText(limit: 64)
        self.init(
            path: path, bytes: bytes, width: width, height: height, timeBase: timeBase, timestamps: timestamps,
            keyFrames: keyFrames.map(Int.init), contentHash: contentHash)
        if let fault { throw MalformedBytes("\(path): \(fault)") }
    }
}
