/// A path or a name as the file system has it: bytes, which need not be UTF-8.
///
/// Paths are the same where their bytes are. Text is not: Swift holds the two spellings of "é", one letter or a letter and an accent, for
/// equal, and they are two files.
public struct FilePath: Hashable, Comparable, Sendable {
    /// The bytes as the system has them, without the zero that C puts behind them.
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// The path that a text spells in UTF-8.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// The path as text; nil where it is not UTF-8.
    public var text: String? { String(validating: bytes, as: UTF8.self) }

    /// Whether the last name begins with a dot.
    ///
    /// So begin "." and "..", files that a system hides, and `._NAME`, which macOS writes beside every NAME on disks that are not its own:
    /// none of them is what people mean by the files of a folder.
    public var isHidden: Bool { lastName.first == UInt8(ascii: ".") }

    /// What follows the last dot of the last name, ASCII letters small; empty where there is none.
    public var ending: String {
        guard let dot = lastName.lastIndex(of: UInt8(ascii: ".")) else { return "" }
        let small = lastName[(dot + 1)...].map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
        return String(decoding: small, as: UTF8.self)
    }

    /// The path without its last name; nil where it has only one.
    public var folder: FilePath? { bytes.lastIndex(of: UInt8(ascii: "/")).map { FilePath(bytes: Array(bytes[..<$0])) } }

    /// The path of a name, or of a relative path, in the folder that this path leads to.
    public func appending(_ name: FilePath) -> FilePath { FilePath(bytes: bytes + [UInt8(ascii: "/")] + name.bytes) }

    /// Whether the bytes end in those of a text.
    public func hasSuffix(_ suffix: String) -> Bool { bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }

    /// What follows the last slash; the whole path where there is none.
    public var lastName: ArraySlice<UInt8> {
        bytes.lastIndex(of: UInt8(ascii: "/")).map { bytes[($0 + 1)...] } ?? bytes[...]
    }

    /// The bytes with a zero behind them, as C wants them.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (bytes + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress!) }
        }
    }

    /// Whether one path's bytes come before the other's, whatever letters they spell.
    public static func < (one: FilePath, other: FilePath) -> Bool { one.bytes.lexicographicallyPrecedes(other.bytes) }
}

extension FilePath: CustomStringConvertible {
    /// For people: what is not UTF-8, and what a terminal would obey instead of showing it, as `\xHH`.
    public var description: String {
        var shown = ""
        var rest = bytes[...]
        while let first = rest.first {
            // A scalar takes at most four bytes; those that are part of none stand for themselves.
            let scalar = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self)?.unicodeScalars.first }.first
            if let scalar, !(scalar.value < 0x20 || 0x7f..<0xa0 ~= scalar.value) {
                shown.unicodeScalars.append(scalar)
                rest = rest.dropFirst(UTF8.width(scalar))
            } else {
                let digits = String(first, radix: 16)
                shown += "\\x" + (first < 16 ? "0" : "") + digits
                rest = rest.dropFirst()
            }
        }
        return shown
    }
}
