import CZeroMQ
import Synchronization

/// Receives libzmq's events about the connections of a socket.
final class Monitor {
    let handle: UnsafeMutableRawPointer
    private static let count = Atomic(0)

    /// Starts to report events of a socket. To be called on the socket's thread.
    ///
    /// - Returns: the name under which one monitor, on any thread, receives them.
    static func begin(_ events: Int32, of socket: UnsafeMutableRawPointer) throws(ZeroMQError) -> String {
        let name = "inproc://tandem.monitor.\(count.add(1, ordering: .relaxed).newValue)"
        guard zmq_socket_monitor(socket, name, events) == 0 else { throw ZeroMQError("zmq_socket_monitor", name) }
        return name
    }

    /// Receives the events that are reported under a name.
    init(_ name: String, in context: UnsafeMutableRawPointer) throws(ZeroMQError) {
        guard let handle = zmq_socket(context, ZMQ_PAIR) else { throw ZeroMQError("zmq_socket", "a monitor") }
        guard zmq_connect(handle, name) == 0 else {
            let error = ZeroMQError("zmq_connect", name)
            zmq_close(handle)
            throw error
        }
        self.handle = handle
    }

    deinit { zmq_close(handle) }

    /// The next event and the number that belongs to it, nil where there is none.
    func next() -> (event: Int32, value: Int32)? {
        guard let parts = receiveParts(from: handle), parts[0].count >= 6 else { return nil }
        return parts[0].withUnsafeBytes {
            (Int32($0.loadUnaligned(as: UInt16.self)), $0.loadUnaligned(fromByteOffset: 2, as: Int32.self))
        }
    }
}

/// All parts of the next message of a raw socket, nil where there is none.
func receiveParts(from socket: UnsafeMutableRawPointer) -> [[UInt8]]? {
    var parts: [[UInt8]] = []
    while true {
        let message = Message()
        while zmq_msg_recv(message.handle, socket, ZMQ_DONTWAIT) < 0 {
            guard zmq_errno() == EINTR else { return nil }
        }
        parts.append(message.copy)
        if zmq_msg_more(message.handle) == 0 { return parts }
    }
}
