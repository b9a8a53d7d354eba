import CZeroMQ
import Synchronization

/// Counts the bytes of messages that libzmq was given to send and has not released: it holds a message until the system has taken its last
/// byte, or the connection is gone.
public final class UnsentBytes: Sendable {
    private let bytes = Atomic<Int>(0)

    public init() {}

    /// Bytes that libzmq has not released.
    public var count: Int { bytes.load(ordering: .relaxed) }

    fileprivate func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }
}

extension Message {
    /// A message of the same bytes, not copied, to be sent in place of this one, and counted until then.
    public func counted(by unsent: UnsentBytes) -> Message {
        // Both live until libzmq, on a thread of its own, calls back after the last use of the bytes.
        let owner = Unmanaged.passRetained(Owner(message: self, unsent: unsent))
        unsent.add(byteCount)
        let lent = Message()
        let status = zmq_msg_init_data(
            lent.handle, zmq_msg_data(handle), byteCount,
            { _, owner in
                let owner = Unmanaged<Owner>.fromOpaque(owner!).takeRetainedValue()
                owner.unsent.add(-owner.message.byteCount)
            }, owner.toOpaque())
        precondition(status == 0, "out of memory for a message")
        return lent
    }

    private final class Owner {
        let message: Message
        let unsent: UnsentBytes

        init(message: Message, unsent: UnsentBytes) {
            self.message = message
            self.unsent = unsent
        }
    }
}
