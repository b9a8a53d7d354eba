import CZeroMQ

/// The threads that carry messages. One a process; its sockets keep it alive.
///
/// Sendable because libzmq's contexts, unlike its sockets, may be used from any thread.
public final class Context: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer

    public init() {
        guard let handle = zmq_ctx_new() else { preconditionFailure("zmq_ctx_new: out of file descriptors or memory") }
        self.handle = handle
    }

    /// Waits until what lingers in closed sockets is sent, or its time is up.
    deinit {
        while zmq_ctx_term(handle) != 0, zmq_errno() == EINTR {}
    }
}
