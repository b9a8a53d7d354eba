import CZeroMQ

/// One end of message connections. Belongs to one thread at a time.
public final class Socket {
    /// How a socket divides messages among its peers.
    public enum Kind: Sendable {
        /// Addresses each peer by the first part of a message.
        case router
        /// Speaks with one peer in both directions.
        case dealer
        /// Deals messages out to its peers in turn, and receives none.
        case push
        /// Receives messages from all its peers in turn, and sends none.
        case pull

        var code: Int32 {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .push: ZMQ_PUSH
            case .pull: ZMQ_PULL
            }
        }
    }

    /// What must be decided for every socket. Times are in milliseconds.
    public struct Options: Sendable {
        /// Messages that may wait to be sent to one peer.
        public var sendHighWaterMark: Int32
        /// Messages from one peer that may wait to be received.
        public var receiveHighWaterMark: Int32
        /// How long closing waits for what is still to be sent.
        public var linger: Int32
        /// A peer that sends a larger part is disconnected.
        public var maximumMessageBytes: Int

        public init(sendHighWaterMark: Int, receiveHighWaterMark: Int, linger: Int, maximumMessageBytes: Int) {
            precondition(sendHighWaterMark > 0 && receiveHighWaterMark > 0, "a high-water mark of 0 means no limit")
            self.sendHighWaterMark = Int32(sendHighWaterMark)
            self.receiveHighWaterMark = Int32(receiveHighWaterMark)
            self.linger = Int32(linger)
            self.maximumMessageBytes = maximumMessageBytes
        }
    }

    /// Bytes under way over ipc, as far as the system allows (net.core.wmem_max). With the system's default, sender and receiver wake each
    /// other twice for every sample. Over tcp the system chooses the number itself.
    private static let ipcBufferBytes: Int32 = 1 << 20

    /// Bytes that CURVE adds to a part at most (ZeroMQ RFC 26: command name, nonce, flags and authenticator).
    private static let maximumCurveBytes = 64

    let handle: UnsafeMutableRawPointer
    private let context: Context
    private var endpoint: String
    /// nil where the socket does not connect over tcp.
    private var handshake: Handshake?

    /// Sets every option before anything is bound or connected. Beside the given ones: a machine that is silent for 10 s is disconnected,
    /// connecting gives up after 5 s and begins again after 0.1 s to 2 s, nothing is queued for a peer that is not there, and a router
    /// reports such a peer.
    ///
    /// Silence is noticed by TCP. ZMTP's own heartbeats end the whole process where a peer goes while its messages wait to be received:
    /// libzmq's issues 3937 and 4364, present in 4.3.4.
    public init(_ kind: Kind, in context: Context, options: Options) throws(ZeroMQError) {
        guard let handle = zmq_socket(context.handle, kind.code) else { throw ZeroMQError("zmq_socket", "\(kind) socket") }
        self.handle = handle
        self.context = context
        endpoint = "\(kind) socket"
        try set(ZMQ_SNDHWM, options.sendHighWaterMark)
        try set(ZMQ_RCVHWM, options.receiveHighWaterMark)
        try set(ZMQ_LINGER, options.linger)
        // The limit covers what encryption adds to a part.
        try set(ZMQ_MAXMSGSIZE, Int64(options.maximumMessageBytes + (context.credentials == nil ? 0 : Self.maximumCurveBytes)))
        try set(ZMQ_HANDSHAKE_IVL, Int32(5000))
        try set(ZMQ_TCP_KEEPALIVE, Int32(1))
        try set(ZMQ_TCP_KEEPALIVE_IDLE, Int32(5))
        try set(ZMQ_TCP_KEEPALIVE_INTVL, Int32(1))
        try set(ZMQ_TCP_KEEPALIVE_CNT, Int32(5))
        try set(ZMQ_TCP_MAXRT, Int32(10_000))
        try set(ZMQ_CONNECT_TIMEOUT, Int32(5000))
        try set(ZMQ_RECONNECT_IVL, Int32(20))
        try set(ZMQ_RECONNECT_IVL_MAX, Int32(2000))
        switch kind {
        case .router: try set(ZMQ_ROUTER_MANDATORY, Int32(1))
        case .dealer, .push: try set(ZMQ_IMMEDIATE, Int32(1))
        case .pull: break
        }
    }

    deinit {
        // The monitor's socket must be closed before the context ends, and releasing this socket may end the context.
        handshake = nil
        zmq_close(handle)
    }

    /// Listens at an endpoint. Over tcp, if the context has keys, only clients with an allowed key may connect.
    public func bind(to endpoint: String) throws(ZeroMQError) {
        self.endpoint = endpoint
        if let keys = context.credentials?.listening, endpoint.hasPrefix("tcp:") {
            try set(ZMQ_CURVE_SERVER, Int32(1))
            try set(ZMQ_CURVE_SECRETKEY, keys.own.text)
            try set(ZMQ_ZAP_DOMAIN, "tandem")
            try context.gatekeeper?.watch(self)
        }
        if endpoint.hasPrefix("ipc:") { try set(ZMQ_SNDBUF, Self.ipcBufferBytes) }
        guard zmq_bind(handle, endpoint) == 0 else { throw ZeroMQError("zmq_bind", endpoint) }
    }

    /// Connects to an endpoint, now or as soon as a process listens there, and again after every loss and every refusal. Over tcp, if the
    /// context has keys, it connects only to the owner of the server's key.
    public func connect(to endpoint: String) throws(ZeroMQError) {
        self.endpoint = endpoint
        if endpoint.hasPrefix("tcp:") {
            let keys = context.credentials?.connecting
            if let keys {
                try set(ZMQ_CURVE_SERVERKEY, keys.server.text)
                try set(ZMQ_CURVE_PUBLICKEY, keys.own.publicKey.text)
                try set(ZMQ_CURVE_SECRETKEY, keys.own.text)
            }
            handshake = try Handshake(of: handle, in: context.handle, ownKey: keys?.own.publicKey)
        }
        if endpoint.hasPrefix("ipc:") { try set(ZMQ_SNDBUF, Self.ipcBufferBytes) }
        try connect()
    }

    private func connect() throws(ZeroMQError) {
        guard zmq_connect(handle, endpoint) == 0 else { throw ZeroMQError("zmq_connect", endpoint) }
    }

    /// Why the listener does not let this socket in, and what to do; nil where no handshake has failed since the last success.
    public var refusal: String? { handshake?.failure }

    /// Called where nothing could be sent or received, which a failed handshake may cause: tries a new one after a pause.
    func followHandshake() throws(ZeroMQError) {
        switch handshake?.nextStep() {
        case nil, .nothing: return
        case .disconnect:
            guard zmq_disconnect(handle, endpoint) == 0 || zmq_errno() == ENOENT else { throw ZeroMQError("zmq_disconnect", endpoint) }
        case .connect: try connect()
        }
    }

    /// What became of a message that was to be sent.
    public enum Delivery: Sendable {
        /// libzmq has it and will send it.
        case queued
        /// The peer's queue is full, or no peer is connected; the message is unchanged.
        case full
        /// A router's peer is gone; the message is unchanged.
        case gone
    }

    /// Queues one part without waiting. The message is empty afterwards, unless it could not be queued.
    public func send(_ message: Message, hasMore: Bool = false) throws(ZeroMQError) -> Delivery {
        while zmq_msg_send(message.handle, handle, ZMQ_DONTWAIT | (hasMore ? ZMQ_SNDMORE : 0)) < 0 {
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN:
                try followHandshake()
                return .full
            case EHOSTUNREACH: return .gone
            default: throw ZeroMQError("zmq_msg_send", endpoint)
            }
        }
        handshake?.succeeded()
        return .queued
    }

    /// Queues a message of several parts, all or none, without waiting.
    public func send(parts: [Message]) throws(ZeroMQError) -> Delivery {
        for (index, part) in parts.enumerated() {
            // libzmq can refuse only the first part: it takes the rest of a message that it began.
            let delivery = try send(part, hasMore: index + 1 < parts.count)
            if delivery != .queued { return delivery }
        }
        return .queued
    }

    /// The next part, nil where none is there.
    public func receive() throws(ZeroMQError) -> Message? {
        let message = Message()
        while zmq_msg_recv(message.handle, handle, ZMQ_DONTWAIT) < 0 {
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN:
                try followHandshake()
                return nil
            default: throw ZeroMQError("zmq_msg_recv", endpoint)
            }
        }
        handshake?.succeeded()
        message.hasMore = zmq_msg_more(message.handle) != 0
        return message
    }

    /// All parts of the next message, nil where none is there.
    ///
    /// - Parameter limit: parts beyond it are thrown away unread, so that no peer can make a message grow without end.
    public func receiveParts(limit: Int) throws(ZeroMQError) -> [Message]? {
        guard var last = try receive() else { return nil }
        var parts = [last]
        while last.hasMore {
            // The parts of a message arrive together.
            guard let next = try receive() else { break }
            if parts.count < limit { parts.append(next) }
            last = next
        }
        return parts
    }

    private func set(_ option: Int32, _ text: String) throws(ZeroMQError) {
        guard zmq_setsockopt(handle, option, text, text.utf8.count) == 0 else { throw ZeroMQError("zmq_setsockopt \(option)", endpoint) }
    }

    private func set<Value: BitwiseCopyable>(_ option: Int32, _ value: Value) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Value>.size) == 0 else {
            throw ZeroMQError("zmq_setsockopt \(option)", endpoint)
        }
    }
}
