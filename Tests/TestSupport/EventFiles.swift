import Foundation

/// Curves as TensorBoard's default loader shows them, its data server: a point whose step is not beyond the tag's last one drops what the tag
/// has at that step and later. Source: tensorflow/tensorboard, tensorboard/data/server/reservoir.rs; session starts are not looked at.
public enum EventFiles {
    public typealias Curve = [(step: Int, value: Float)]

    /// The curves of all event files of a folder by tag.
    public static func curves(in folder: String) throws -> [String: Curve] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("events.out.tfevents.") }
        var curves: [String: Curve] = [:]
        for name in names.sorted() {
            for (step, tag, value) in points(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))) {
                curves[tag, default: []].removeAll { $0.step >= step }
                curves[tag, default: []].append((step, value))
            }
        }
        return curves
    }

    /// The scalars of a file in their order. A record that is not whole ends it.
    private static func points(_ file: Data) -> [(step: Int, tag: String, value: Float)] {
        var rest = file[...]
        var points: [(step: Int, tag: String, value: Float)] = []
        // Length, its checksum, the event, its checksum.
        while rest.count >= 16 {
            let length = Int(rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
            guard rest.count >= 16 + length else { break }
            let event = Fields(rest.dropFirst(12).prefix(length))
            let step = Int(event.varints[2] ?? 0)
            for summary in event.messages[5] ?? [] {
                for entry in Fields(summary).messages[1] ?? [] {
                    let value = Fields(entry)
                    guard let tag = value.messages[1]?.first, let bits = value.fixed[2] else { continue }
                    points.append((step, String(decoding: tag, as: UTF8.self), Float(bitPattern: bits)))
                }
            }
            rest = rest.dropFirst(16 + length)
        }
        return points
    }

    /// The fields of a protobuf message by number.
    private struct Fields {
        var varints: [Int: UInt64] = [:]
        var fixed: [Int: UInt32] = [:]
        var messages: [Int: [Data]] = [:]

        init(_ data: Data) {
            var rest = data
            func varint() -> UInt64 {
                var (value, shift) = (UInt64(0), UInt64(0))
                while let byte = rest.popFirst() {
                    value |= UInt64(byte & 127) << shift
                    shift += 7
                    if byte < 128 { break }
                }
                return value
            }
            func take(_ count: Int) -> Data {
                defer { rest = rest.dropFirst(count) }
                return rest.prefix(count)
            }
            while !rest.isEmpty {
                let key = varint()
                let field = Int(key >> 3)
                switch key & 7 {
                case 0: varints[field] = varint()
                case 1: _ = take(8)
                case 2: messages[field, default: []].append(take(Int(varint())))
                default: fixed[field] = take(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                }
            }
        }
    }
}
