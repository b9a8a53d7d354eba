import CZeroMQ

/// A call of libzmq that failed: which, on what, why, and what to do.
public struct ZeroMQError: Error, Equatable, CustomStringConvertible, Sendable {
    /// The function that failed, `zmq_bind`.
    public let call: String
    /// The endpoint or socket it was called for.
    public let object: String
    /// The value of `zmq_errno`.
    public let code: Int32

    /// Reads the code of the call that has just failed.
    init(_ call: String, _ object: String) {
        self.call = call
        self.object = object
        code = zmq_errno()
    }

    public var description: String {
        "\(object): \(String(cString: zmq_strerror(code))) (\(call))" + (remedy.map { "; \($0)" } ?? "")
    }

    private var remedy: String? {
        switch code {
        case EADDRINUSE: "another process listens there: stop it, or choose another endpoint"
        case EADDRNOTAVAIL, ENODEV: "this machine has no such address: name one of its own"
        case EACCES: "this user may not open it: choose a port above 1023, or a folder of your own"
        case ENOENT: "the folder of an ipc endpoint must exist: create it"
        case ENAMETOOLONG: "choose a shorter path"
        case EINVAL, EPROTONOSUPPORT: "an endpoint reads tcp://HOST:PORT or ipc:///PATH"
        case EMFILE: "too many open files or sockets: raise the limit with 'ulimit -n'"
        default: nil
        }
    }
}
