import Base
import Foundation

/// One of the samplers that there are. The set is closed: what comes over the wire chooses among them, and nothing else runs.
public struct AnySampler: Equatable, Sendable {
    /// All samplers that there are.
    private static let kinds: [any Sampler.Type] = [
        FramePairSampler.self, ImageSampler.self, ClipSampler.self, SpanSampler.self, MultiCropSampler.self, ViewPairSampler.self,
    ]

    /// The sampler itself.
    public let value: any Sampler

    public init(_ value: some Sampler) { self.value = value }

    public static func == (first: AnySampler, second: AnySampler) -> Bool { first.value.isEqual(to: second.value) }

    /// Bytes of the longest settings that travel.
    private static let maximumTextBytes = 4096

    /// Writes the sampler's name, and its settings as JSON: keys sorted, no spaces, numbers as short as they can be.
    func write(to writer: inout ByteWriter) {
        writer.write(type(of: value).name)
        writer.write(text)
    }

    /// Reads what ``write(to:)`` wrote.
    init(from reader: inout ByteReader) throws(MalformedBytes) {
        let name = try reader.readText(limit: 64)
        let text = try reader.readText(limit: Self.maximumTextBytes)
        guard let kind = Self.kind(name) else { throw MalformedBytes("a sampler with the unknown name '\(name)'") }
        do { value = try JSONDecoder().decode(kind, from: Data(text.utf8)) } catch {
            throw MalformedBytes("a sampler with settings that cannot be read")
        }
        if let (key, message) = value.problem { throw MalformedBytes("a sampler whose \(key) \(message)") }
        // One text for each sampler, so that equal samplers have equal fingerprints.
        guard self.text == text else { throw MalformedBytes("settings of a sampler that are not in canonical form") }
    }

    private static func kind(_ name: String) -> (any Sampler.Type)? { kinds.first { $0.name == name } }

    private var text: String { text(for: [.isPlan: true]) }

    private func text(for userInfo: [CodingUserInfoKey: any Sendable]) -> String {
        let encoder = JSONEncoder()
        encoder.userInfo = userInfo
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Settings that were checked hold no number that JSON lacks; those that were not are refused where they arrive.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try! encoder.encode(value), as: UTF8.self)
    }

    /// The settings one by one: by the path of their keys, as people read them.
    var settings: [String: String] {
        func leaves(_ value: Any, _ path: String) -> [(String, String)] {
            switch value {
            case let group as [String: Any]: group.flatMap { leaves($0.value, path.isEmpty ? $0.key : path + "." + $0.key) }
            case let list as [Any]: [(path, "[" + list.map { "\($0)" }.joined(separator: ", ") + "]")]
            default: [(path, "\(value)")]
            }
        }
        return Dictionary(uniqueKeysWithValues: leaves(try! JSONSerialization.jsonObject(with: Data(text(for: [:]).utf8)), ""))
    }
}

extension Sampler {
    fileprivate func isEqual(to other: any Sampler) -> Bool { (other as? Self) == self }
}

/// As JSON for people: `{"name": …, "settings": {…}}`.
extension AnySampler: Codable {
    private enum Keys: CodingKey { case name, settings }

    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Keys.self)
        let name = try members.decode(String.self, forKey: .name)
        guard let kind = Self.kind(name) else {
            throw DecodingError.dataCorruptedError(forKey: .name, in: members, debugDescription: "the unknown sampler '\(name)'")
        }
        value = try members.decode(kind, forKey: .settings)
    }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Keys.self)
        try members.encode(type(of: value).name, forKey: .name)
        try members.encode(value, forKey: .settings)
    }
}
