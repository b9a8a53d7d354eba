import Base
import CZeroMQ

/// Whether the listener lets a connecting socket in, as far as failed handshakes tell.
///
/// libzmq gives a connection up for good where the listener refuses the key (400 of ZAP) or does not speak the protocol. Where the listener
/// closes the connection, as one with another key does, libzmq tries again several times a second. Neither suits a process that waits to be
/// let in: so after each failure the socket is disconnected from the endpoint, and connected again after ``pause``.
struct Handshake {
    /// What is to be done about a connection.
    enum Step {
        case nothing, disconnect, connect
    }

    private let monitor: Monitor
    private let ownKey: CurveKey?
    private var failedAt: Double?
    /// Why the last handshake failed; nil as long as none did, or one succeeded since.
    private(set) var failure: String?

    /// Seconds between a handshake that failed and the next.
    static let pause = 2.0
    private static let events = ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL

    /// - Parameter ownKey: the public key of a socket that has one.
    init(of socket: UnsafeMutableRawPointer, in context: UnsafeMutableRawPointer, ownKey: CurveKey?) throws(ZeroMQError) {
        monitor = try Monitor(Monitor.begin(Self.events, of: socket), in: context)
        self.ownKey = ownKey
    }

    /// A message passed: the listener lets the socket in.
    mutating func succeeded() { failure = nil }

    /// Reads the events of handshakes; returns what is to be done about the connection.
    mutating func nextStep() -> Step {
        var hasFailed = false
        while let (event, _) = monitor.next() {
            hasFailed = true
            failure = reason(event)
        }
        let now = monotonicSeconds()
        if hasFailed, failedAt == nil {
            failedAt = now
            return .disconnect
        }
        guard let start = failedAt, now - start >= Self.pause else { return .nothing }
        failedAt = nil
        return .connect
    }

    private func reason(_ event: Int32) -> String {
        switch (event, ownKey) {
        case (ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, let key?):
            "this machine's key \(key) is not among those allowed there: add it to the file 'allowed' of the keys there, and send SIGHUP"
        case (_, .some): "the handshake fails: it has another key than this machine's server.pub, or none, or is something else"
        case (_, nil): "the handshake fails: it wants keys (--keys), or is something else"
        }
    }
}
