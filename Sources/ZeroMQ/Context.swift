import Base
import CZeroMQ

/// libzmq's threads, which carry the messages. A process has one context, and its sockets keep it alive.
///
/// Sendable because libzmq's contexts, unlike its sockets, may be used from any thread.
public final class Context: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer
    let credentials: Credentials?
    let gatekeeper: Gatekeeper?
    /// Whether the user allows anybody to connect over tcp where there are no credentials.
    public let isInsecure: Bool

    /// - Parameters:
    ///   - credentials: keys for all tcp connections; without them these are open. Connections over ipc need none: the file system guards
    ///     them.
    ///   - isInsecure: stored for the code that decides where to listen.
    ///   - shouldReload: asked some times a second, on a thread of its own; true has the list of allowed keys read again. Connections that
    ///     stand are kept.
    ///   - log: takes a line, on that thread, where a connection was refused or the list was read.
    public init(
        credentials: Credentials? = nil, isInsecure: Bool = false, shouldReload: @escaping @Sendable () -> Bool = { false },
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        keepFreedMemory()
        guard let handle = zmq_ctx_new() else { preconditionFailure("zmq_ctx_new: out of file descriptors or memory") }
        self.handle = handle
        self.credentials = credentials
        self.isInsecure = isInsecure
        gatekeeper = credentials?.listening.map {
            Gatekeeper(of: handle, $0.folder, allowed: $0.allowed, shouldReload: shouldReload, log: log)
        }
    }

    /// Connections refused so far.
    public var refusals: Int { gatekeeper?.refusals ?? 0 }

    /// Whether only clients with an allowed key may connect over tcp.
    public var isGuarded: Bool { gatekeeper != nil }

    /// Waits until the messages of closed sockets are sent, or their linger time is over.
    deinit {
        // Every other socket keeps the context alive, so all of them are closed by now; the gatekeeper's close when the context shuts down.
        zmq_ctx_shutdown(handle)
        gatekeeper?.join()
        while zmq_ctx_term(handle) != 0, zmq_errno() == EINTR {}
    }
}

/// The keys of a process.
public struct Credentials: Sendable {
    let listening: (own: CurveKey, folder: KeyFolder, allowed: [KeyFolder.Allowed])?
    let connecting: (own: CurveKey, server: CurveKey)?

    /// Reads the keys of a process that listens, or connects, or both.
    public init(_ folder: KeyFolder, listens: Bool = false, connects: Bool = false) throws(Failure) {
        listening = listens ? (try folder.serverKey(), folder, try folder.allowed()) : nil
        connecting = connects ? try folder.clientKeys() : nil
    }
}
