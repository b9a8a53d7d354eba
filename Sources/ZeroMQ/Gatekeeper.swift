import Base
import CZeroMQ
import Foundation
import Synchronization

/// Decides who may connect, for all listening tcp sockets of a context: libzmq asks it by ZAP (ZeroMQ RFC 27) about every client that has
/// proved to own its key.
///
/// A client that fails before that, without encryption or with a wrong key for the server, is seen by the sockets' monitors. Each refusal
/// is counted. One a second is logged, with the client's address, and one a minute of the same machine and reason, because a refused client
/// tries again and again.
final class Gatekeeper: Sendable {
    private struct State {
        var allowed: Set<CurveKey>
        /// Monitors that the thread has not connected to yet.
        var monitors: [String] = []
        var refusals = 0
        var loggedAt: TimeInterval = -1
        /// When a refusal of each machine, with the reason, was last logged.
        var told: [String: TimeInterval] = [:]
        var unlogged = 0
    }

    private let state: Mutex<State>
    private let folder: KeyFolder
    private let shouldReload: @Sendable () -> Bool
    private let log: @Sendable (String) -> Void
    private let isEnded = DispatchSemaphore(value: 0)
    /// Seconds between two lines about one machine, and machines that are remembered for that.
    private static let repeatedAfter = 60.0
    private static let maximumRemembered = 1000

    /// Binds the endpoint of ZAP before any socket of the context can ask there. Ends when the context is shut down.
    init(
        of context: UnsafeMutableRawPointer, _ folder: KeyFolder, allowed: [KeyFolder.Allowed],
        shouldReload: @escaping @Sendable () -> Bool, log: @escaping @Sendable (String) -> Void
    ) {
        state = Mutex(State(allowed: Set(allowed.map(\.key))))
        self.folder = folder
        self.shouldReload = shouldReload
        self.log = log
        guard let door = zmq_socket(context, ZMQ_REP), zmq_bind(door, "inproc://zeromq.zap.01") == 0 else {
            preconditionFailure("a new context has no room for its authentication: \(String(cString: zmq_strerror(zmq_errno())))")
        }
        let post = Post(context: context, door: door)
        Thread { [self] in
            serve(post)
            isEnded.signal()
        }.start()
    }

    var refusals: Int { state.withLock(\.refusals) }

    private func reload() {
        do throws(Failure) {
            let allowed = try folder.allowed()
            state.withLock { $0.allowed = Set(allowed.map(\.key)) }
            log("\(folder.path)/allowed was read: \(allowed.count) keys may connect")
        } catch {
            log("\(error); the list of allowed keys stays as it was")
        }
    }

    /// Monitors a socket that is about to listen.
    func watch(_ socket: Socket) throws(ZeroMQError) {
        let events =
            ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
        let name = try Monitor.begin(events, of: socket.handle)
        state.withLock { $0.monitors.append(name) }
    }

    /// Waits for the thread, after the context was shut down.
    func join() { isEnded.wait() }

    /// The thread's sockets. Raw ones: a `Socket` would keep the context alive for ever.
    private struct Post: @unchecked Sendable {
        let context: UnsafeMutableRawPointer
        let door: UnsafeMutableRawPointer
    }

    /// A listening socket whose connections are followed: libzmq numbers each by its file descriptor.
    private struct Watched {
        let monitor: Monitor
        var addresses: [Int32: String] = [:]
        /// Why the handshake of a connection failed whose end is reported next.
        var failure: String?
    }

    private func serve(_ post: Post) {
        var watched: [Watched] = []
        defer { zmq_close(post.door) }
        while true {
            if shouldReload() { reload() }
            for name in state.withLock({ state in
                defer { state.monitors = [] }
                return state.monitors
            }) {
                do { watched.append(Watched(monitor: try Monitor(name, in: post.context))) } catch {
                    guard error.code != ETERM else { return }
                    log("\(error); who is refused at one of the sockets is not told")
                }
            }
            var items = ([post.door] + watched.map(\.monitor.handle)).map {
                zmq_pollitem_t(socket: $0, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
            }
            if zmq_poll(&items, Int32(items.count), 100) < 0 {
                if zmq_errno() == EINTR { continue }
                if zmq_errno() != ETERM { log("\(ZeroMQError("zmq_poll", "authentication")); from now on nobody can connect: start anew") }
                return
            }
            if items[0].revents != 0, let request = receiveParts(from: post.door) { answer(request, post.door) }
            for index in watched.indices where items[index + 1].revents != 0 { follow(&watched[index]) }
        }
    }

    /// Answers a request of ZAP: version, request, domain, address, identity, mechanism, credentials.
    private func answer(_ request: [[UInt8]], _ door: UnsafeMutableRawPointer) {
        let (version, id) = (request.first ?? [], request.count > 1 ? request[1] : [])
        let key = request.count > 6 ? request[6].withUnsafeBytes { CurveKey(bytes: $0) } : nil
        let isAllowed =
            request.count > 6 && request[5].elementsEqual("CURVE".utf8)
            && key.map { key in state.withLock { $0.allowed.contains(key) } } ?? false
        if !isAllowed {
            let address = request.count > 3 ? String(decoding: request[3], as: UTF8.self) : "nobody"
            refuse(address, "its key\(key.map { " \($0)" } ?? "") is not in the list of those allowed")
        }
        let status = isAllowed ? ("200", "OK") : ("400", "this key is not allowed")
        let reply: [[UInt8]] = [version, id, Array(status.0.utf8), Array(status.1.utf8), [], []]
        for (index, part) in reply.enumerated() {
            while zmq_send(door, part, part.count, index + 1 < reply.count ? ZMQ_SNDMORE : 0) < 0 {
                if zmq_errno() == EINTR { continue }
                // The client gets no answer, gives up and asks again.
                if zmq_errno() != ETERM { log("\(ZeroMQError("zmq_send", "authentication"))") }
                return
            }
        }
    }

    /// Reads the events of a listening socket.
    private func follow(_ watched: inout Watched) {
        while let (event, value) = watched.monitor.next() {
            switch event {
            case ZMQ_EVENT_ACCEPTED: watched.addresses[value] = peerAddress(of: value)
            case ZMQ_EVENT_DISCONNECTED:
                // libzmq reports a failed handshake directly before the end of its connection.
                let address = watched.addresses.removeValue(forKey: value) ?? "an unknown address"
                if let failure = watched.failure.take() { refuse(address, failure) }
            case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: watched.failure = "it has no keys, or the server.pub of another machine"
            default: watched.failure = "it closed the connection before it had shown a key"
            }
        }
    }

    private func refuse(_ address: String, _ reason: String) {
        let line = state.withLock { state -> String? in
            state.refusals += 1
            let now = monotonicSeconds()
            let client = address.prefix { $0 != ":" } + ": " + reason
            guard now - state.loggedAt >= 1, now - (state.told[String(client)] ?? -.infinity) >= Self.repeatedAfter else {
                state.unlogged += 1
                return nil
            }
            defer { (state.loggedAt, state.unlogged) = (now, 0) }
            if state.told.count >= Self.maximumRemembered { state.told = [:] }
            state.told[String(client)] = now
            return "refused \(address): \(reason)" + (state.unlogged > 0 ? "; \(state.unlogged) more were refused since the last" : "")
        }
        if let line { log(line) }
    }
}

/// "192.0.2.7:40312", the address of the other end of a connection, if the connection still stands.
private func peerAddress(of descriptor: Int32) -> String {
    var address = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    var (host, port) = ([CChar](repeating: 0, count: 64), [CChar](repeating: 0, count: 8))
    let isKnown = withUnsafeMutablePointer(to: &address) { storage in
        storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            getpeername(descriptor, generic, &size) == 0
                && getnameinfo(
                    generic, size, &host, socklen_t(host.count), &port, socklen_t(port.count), NI_NUMERICHOST | NI_NUMERICSERV) == 0
        }
    }
    guard isKnown else { return "an address that is gone" }
    return host.withUnsafeBufferPointer { String(cString: $0.baseAddress!) } + ":"
        + port.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
}
