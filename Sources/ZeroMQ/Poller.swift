import CZeroMQ

/// Waits until one of several sockets has something to receive.
public struct Poller {
    private let sockets: [Socket]
    private var items: [zmq_pollitem_t]

    /// Watches these sockets, and keeps them alive.
    public init(_ sockets: [Socket]) {
        self.sockets = sockets
        items = sockets.map { zmq_pollitem_t(socket: $0.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0) }
    }

    /// Waits until something can be received or the time is up. A signal ends the wait early, as if the time were up.
    ///
    /// - Returns: for each socket whether a message is there.
    public mutating func wait(milliseconds: Int) throws(ZeroMQError) -> [Bool] {
        let count = zmq_poll(&items, Int32(items.count), milliseconds)
        guard count >= 0 else {
            if zmq_errno() == EINTR { return items.map { _ in false } }
            throw ZeroMQError("zmq_poll", "\(items.count) sockets")
        }
        return items.map { $0.revents & Int16(ZMQ_POLLIN) != 0 }
    }
}

extension Socket {
    /// Waits until a message can be queued or the time is up; says whether one can.
    public func waitUntilSendable(milliseconds: Int) throws(ZeroMQError) -> Bool {
        try followHandshake()
        var item = zmq_pollitem_t(socket: handle, fd: 0, events: Int16(ZMQ_POLLOUT), revents: 0)
        guard zmq_poll(&item, 1, milliseconds) >= 0 else {
            if zmq_errno() == EINTR { return false }
            throw ZeroMQError("zmq_poll", "a socket to send on")
        }
        return item.revents & Int16(ZMQ_POLLOUT) != 0
    }
}
