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
        zmq_msg_init(handle)
    }

    /// A message of uninitialised bytes.
    public init(byteCount: Int) {
        precondition(zmq_msg_init_size(handle, byteCount) == 0, "out of memory for a message of \(byteCount) bytes")
    }

    /// A message that holds a copy of some bytes.
    public convenience init(_ bytes: [UInt8]) {
        self.init(byteCount: bytes.count)
        mutableBytes.copyBytes(from: bytes)
    }

    deinit {
        zmq_msg_close(handle)
        handle.deallocate()
    }

    public var byteCount: Int { zmq_msg_size(handle) }

    /// The bytes, valid until the message is sent or gone; at any alignment.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: zmq_msg_data(handle), count: byteCount) }

    /// The bytes of a message that nothing was received into.
    public var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: zmq_msg_data(handle), count: byteCount) }
}
