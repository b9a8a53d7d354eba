import Base
import Foundation

/// The JSON of a safetensors file's header.
///
/// Source: `HashMetadata` and `TensorInfo` in the safetensors library's tensor.rs.
struct SafetensorsHeader {
    /// What the header says of one array.
    struct Entry {
        let typeName: String
        let shape: [Int]
        let offsets: [Int]
    }

    private(set) var metadata: [String: String] = [:]
    private(set) var entries: [String: Entry] = [:]

    /// What is wrong, in words.
    struct Malformed: Error {
        let why: String
    }

    init(_ bytes: Data) throws(Malformed) {
        guard let header = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any] else {
            throw Malformed(why: "its header is no JSON object")
        }
        for (key, value) in header {
            if key != "__metadata__" {
                guard let entry = Entry(value) else {
                    throw Malformed(why: "the header's entry '\(key.onOneLine)' lacks its dtype, shape or two data_offsets")
                }
                entries[key] = entry
            } else if !(value is NSNull) {
                guard let strings = value as? [String: String] else {
                    throw Malformed(why: "its '__metadata__' holds something other than texts")
                }
                metadata = strings
            }
        }
    }
}

extension SafetensorsHeader.Entry {
    fileprivate init?(_ value: Any) {
        guard let fields = value as? [String: Any], let typeName = fields["dtype"] as? String, let shape = fields["shape"] as? [Int],
            let offsets = fields["data_offsets"] as? [Int], offsets.count == 2, (shape + offsets).allSatisfy({ $0 >= 0 })
        else { return nil }
        self.init(typeName: typeName, shape: shape, offsets: offsets)
    }
}
