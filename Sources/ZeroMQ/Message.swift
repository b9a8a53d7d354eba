import Base
import CZeroMQ

/// One part of a message: bytes that libzmq allocated or received.
///
/// Sending moves the bytes out without copying them; a message received from one socket may be sent on another as it is.
public final class Message {
    // On the heap, because libzmq may keep the address of a small message's bytes, which lie inside it.
    let handle = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)
    /// Whether another part of the same message follows; set by receiving.
    public internal(set) var hasMore = false

    /// An empty message, to receive into.
    public init() {
        precondition(zmq_msg_init(handle) == 0, "zmq_msg_init never fails")
    }

    /// A message of uninitialised bytes.
    ///
    /// - Throws: where there is no memory for it.
    public init(byteCount: Int) throws(ZeroMQError) {
        guard zmq_msg_init_size(handle, byteCount) == 0 else {
            // `deinit` closes the message, so it must be a valid one.
            zmq_msg_init(handle)
            throw ZeroMQError("zmq_msg_init_size", "a message of \(byteCount) bytes")
        }
    }

    /// A message that holds a copy of some bytes.
    public init(_ bytes: [UInt8]) {
        precondition(zmq_msg_init_size(handle, bytes.count) == 0, "out of memory for a message of \(bytes.count) bytes")
        withMutableBytes { $0.copyBytes(from: bytes) }
    }

    deinit {
        zmq_msg_close(handle)
        handle.deallocate()
    }

    /// Bytes of the part; 0 once it was sent.
    public var byteCount: Int { zmq_msg_size(handle) }

    /// Lends the bytes, which lie at any alignment; a pointer to them must not leave `body`, for the message may be gone right after.
    public func withBytes<Value, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Value) throws(Failure) -> Value {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(start: zmq_msg_data(handle), count: byteCount))
    }

    /// Lends the bytes of a message that was made here, to be written.
    public func withMutableBytes<Value, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeMutableRawBufferPointer(start: zmq_msg_data(handle), count: byteCount))
    }

    /// A copy of the bytes.
    public var copy: [UInt8] { withBytes { Array($0) } }
}
