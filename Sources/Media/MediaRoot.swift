/// Where the videos of a manifest lie: a folder, or the root of an http server that answers range requests.
public struct MediaRoot: Sendable {
    /// As the user wrote it, without slashes at its end.
    public let text: String
    /// Whether this is an `http://` or `https://` root.
    public let isServer: Bool

    /// - Parameter text: a folder's path, or an `http://` or `https://` URL, which may end in slashes.
    public init(_ text: String) {
        isServer = ["http://", "https://"].contains { text.lowercased().hasPrefix($0) }
        var text = text
        while isServer, text.hasSuffix("/") { text.removeLast() }
        self.text = text
    }

    /// The path or URL of a file.
    ///
    /// - Parameter path: relative to the root, as a manifest lists it; percent-encoded where it becomes part of a URL.
    public func location(of path: String) -> String {
        text + "/" + (isServer ? Self.percentEncoded(path) : path)
    }

    /// Whether a file is there, whatever its state.
    public func holds(_ path: String, server: MediaServer?) throws(MediaError) -> Bool {
        do {
            _ = try MediaLocation(location(of: path), server: server).byteCount()
            return true
        } catch {
            if error.reason == .serverAway { throw error }
            return error.reason != .missing
        }
    }

    /// RFC 3986: everything but unreserved characters, and the slashes between names, as %XX of its UTF-8 bytes.
    private static func percentEncoded(_ path: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = path.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                [byte]
            default: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
