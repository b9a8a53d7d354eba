import CZeroMQ

/// Half of a CURVE key pair (Curve25519, as CurveZMQ uses it), written as 40 characters of Z85 (ZeroMQ RFC 32).
public struct CurveKey: Hashable, Sendable, CustomStringConvertible {
    static let byteCount = 32
    static let textLength = 40

    /// The 40 characters.
    public let text: String

    /// Reads a key's 40 characters; nil where the text is no key.
    public init?(_ text: String) {
        guard text.utf8.count == Self.textLength, !text.utf8.contains(0) else { return nil }
        let isKey = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.byteCount) { zmq_z85_decode($0.baseAddress!, text) != nil }
        guard isKey else { return nil }
        self.text = text
    }

    /// The key of 32 bytes; nil where there are more or fewer.
    init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        text = Self.text { zmq_z85_encode($0, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count) }
    }

    private init(unchecked text: String) { self.text = text }

    public var description: String { text }

    /// The public half that belongs to this secret one.
    public var publicKey: CurveKey {
        CurveKey(unchecked: Self.text { precondition(zmq_curve_public($0, text) == 0, "this libzmq has no CURVE") })
    }

    /// A new secret key.
    public static func makeSecret() -> CurveKey {
        CurveKey(
            unchecked: text { secret in
                withUnsafeTemporaryAllocation(of: CChar.self, capacity: textLength + 1) { publicKey in
                    precondition(zmq_curve_keypair(publicKey.baseAddress!, secret) == 0, "this libzmq has no CURVE")
                }
            })
    }

    private static func text(_ write: (UnsafeMutablePointer<CChar>) -> Void) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: textLength + 1) { buffer in
            write(buffer.baseAddress!)
            return String(cString: buffer.baseAddress!)
        }
    }
}
