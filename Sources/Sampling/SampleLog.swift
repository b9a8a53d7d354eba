/// The record of what a trainer consumed: columns separated by tabs, one line a sample, the same bytes for the same stream.
public enum SampleLog {
    /// The first line of a log.
    public static let header =
        ["step", "slot", "sample", "ticket", "replica", "attempt", "video", "ticks", "frames", "crop", "flip", "mask", "pixels"]
        .joined(separator: "\t")

    /// The line of one sample, without its end.
    ///
    /// - Parameters:
    ///   - step: optimizer step that consumed it.
    ///   - slot: its place in the step's batch.
    ///   - pixelHash: hash of the pictures, 32 hexadecimal digits for each array of them.
    public static func line(step: Int, slot: Int, sample: SampleBlock, pixelHash: String) -> String {
        let header = sample.header
        let views = sample.views
        func each(_ field: (View) -> String) -> String { views.map(field).joined(separator: ",") }
        let boxes = views.map { "\($0.box.width)x\($0.box.height)+\($0.box.x)+\($0.box.y)" }
        let crop = Set(boxes).count == 1 ? boxes[0] : boxes.joined(separator: ",")
        let flips = views.map { $0.isFlipped ? "1" : "0" }
        let flip = Set(flips).count == 1 ? flips[0] : flips.joined(separator: ",")
        // The last mask first: a mask that only some settings ask for is declared last, and is of an earlier picture.
        let masks = sample.arrays.reversed().filter(\.isMask).map { bitmap(sample.bytes($0.name)!) }.joined(separator: ",")
        let fields: [String] = [
            "\(step)", "\(slot)", "\(header.sample)", "\(header.ticket)", "\(header.replica)", "\(header.attempt)", escaped(header.path),
            each { "\($0.tick)" }, each { "\($0.frame)" }, crop, flip, masks, pixelHash,
        ]
        return fields.joined(separator: "\t")
    }

    /// A mask in hexadecimal digits, four patches each, the first patch in the highest bit.
    private static func bitmap(_ mask: UnsafeRawBufferPointer) -> String {
        stride(from: 0, to: mask.count, by: 4).map { start in
            let digit = (0..<4).reduce(0) { $0 << 1 | (start + $1 < mask.count && mask[start + $1] != 0 ? 1 : 0) }
            return String(digit, radix: 16)
        }.joined()
    }

    /// A path that cannot break a column or a line.
    private static func escaped(_ path: String) -> String {
        guard path.utf8.contains(where: { $0 < 32 || $0 == 92 }) else { return path }
        return path.unicodeScalars.map { scalar in
            switch scalar {
            case "\t": "\\t"
            case "\n": "\\n"
            case "\\": "\\\\"
            default: String(scalar)
            }
        }.joined()
    }
}
