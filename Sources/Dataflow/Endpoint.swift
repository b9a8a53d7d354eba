import Base
import Glibc
import Sampling
import ZeroMQ

/// An error in how the processes of a pipeline are connected: one sentence on one line, whatever text of other processes it quotes.
public struct DataflowError: Error, Equatable, CustomStringConvertible, Sendable {
    public let description: String
    /// Makes an error of a sentence, whose control characters and ends of lines are escaped.
    public init(_ description: String) { self.description = description.onOneLine }
}

/// The addresses of a batcher: the endpoint that a user names, and two more that follow from it.
///
///     ipc:///run/batcher       ipc:///run/batcher.samples    ipc:///run/batcher.batches
///     tcp://127.0.0.1:5555     tcp://127.0.0.1:5556          tcp://127.0.0.1:5557
public struct Endpoint: Equatable, Sendable, CustomStringConvertible {
    /// Tickets and heartbeats; the endpoint as it was given.
    public let control: String
    /// Samples, from decoders.
    public let samples: String
    /// Batches, to trainers.
    public let batches: String
    private let place: Place

    private enum Place: Equatable, Sendable {
        case file(path: String)
        case port(host: String)
    }

    /// Bytes of a path that the address of a Unix socket has room for, without its final zero.
    private static let longestPath = 107

    /// - Parameter text: `ipc:///PATH` or `tcp://HOST:PORT`.
    public init(_ text: String) throws(DataflowError) {
        control = text
        if text.hasPrefix("ipc://") {
            let path = String(text.dropFirst(6))
            guard !path.isEmpty, !path.hasPrefix("@"), !path.hasSuffix("/") else {
                throw DataflowError("\(text): an ipc endpoint names a file, e.g. ipc:///tmp/run/batcher")
            }
            samples = text + ".samples"
            batches = text + ".batches"
            let length = path.utf8.count + ".samples".utf8.count
            guard length <= Self.longestPath else {
                throw DataflowError(
                    "\(text): the path is \(length - Self.longestPath) bytes too long for a socket; choose a folder nearer to the root")
            }
            place = .file(path: path)
        } else if text.hasPrefix("tcp://"), let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) {
            let host = String(text[text.index(text.startIndex, offsetBy: 6)..<colon])
            guard !host.isEmpty, (1...65_533).contains(port) else {
                throw DataflowError("\(text): a tcp endpoint names a host and a port from 1 to 65533, e.g. tcp://127.0.0.1:5555")
            }
            samples = "tcp://\(host):\(port + 1)"
            batches = "tcp://\(host):\(port + 2)"
            place = .port(host: host)
        } else {
            throw DataflowError("'\(text)' is no endpoint; one reads ipc:///PATH or tcp://HOST:PORT")
        }
    }

    public var description: String { control }

    var isTCP: Bool { if case .port = place { true } else { false } }

    /// Whether other machines could connect.
    var isReachable: Bool {
        guard case .port(let host) = place else { return false }
        return host != "localhost" && !host.hasPrefix("127.")
    }

    /// Makes sure that this process alone may listen here, for as long as it keeps the returned value.
    ///
    /// A second bind to an ipc path would silently take it away from the first, so a lock beside the path guards all three.
    /// - Parameter context: of the sockets that will listen.
    /// - Throws: where another process listens, where a folder is missing, and where others than this machine could connect without a key.
    public func reserve(for context: Context) throws(DataflowError) -> EndpointReservation? {
        switch place {
        case .file(let path): return try EndpointReservation(path: path, endpoint: control)
        case .port:
            try requireKeys(isGuarded: context.isGuarded, isInsecure: context.isInsecure)
            return nil
        }
    }

    /// Refuses to listen where others than this machine could connect without a key.
    ///
    /// - Parameters:
    ///   - isGuarded: whether those who connect need a key.
    ///   - isInsecure: whether the user wants it open to anybody.
    public func requireKeys(isGuarded: Bool, isInsecure: Bool) throws(DataflowError) {
        guard isGuarded || isInsecure || !isReachable else {
            throw DataflowError(
                "\(control): without keys anybody could connect from outside; make keys with 'tandem keys' and name them with --keys, or "
                    + "bind to 127.0.0.1 and reach it through ssh -L; --insecure leaves it open to anybody")
        }
    }
}

/// The exclusive right to listen at an ipc endpoint; ends with the value or with the process, however it ends.
public final class EndpointReservation {
    private let path: String
    private let descriptor: Int32

    /// Files that a listener creates. libzmq removes whatever lies at the sockets' paths; the lock is removed here.
    private static let suffixes = ["", ".samples", ".batches", ".lock"]

    init(path: String, endpoint: String) throws(DataflowError) {
        self.path = path
        let lock = path + ".lock"
        try Self.refuseOthers(path, lock)
        while true {
            let descriptor = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw DataflowError(
                    "\(lock): \(String(cString: strerror(errno))); the folder of an ipc endpoint must exist and be writable")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw DataflowError("\(endpoint): another process listens there; stop it, or choose another endpoint")
            }
            // The process that held the lock before may have removed the file after it was opened here.
            if Self.isSameFile(descriptor, lock) {
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
    }

    /// libzmq leaves the sockets' files behind. They are removed while the lock is held, so no other process can have made new ones.
    deinit {
        for suffix in Self.suffixes { unlink(path + suffix) }
        close(descriptor)
    }

    /// A killed process leaves sockets behind, and an empty lock beside them. Any other file is not Tandem's and is not removed.
    private static func refuseOthers(_ path: String, _ lock: String) throws(DataflowError) {
        func status(_ path: String) -> stat? {
            var status = stat()
            return lstat(path, &status) == 0 ? status : nil
        }
        for place in suffixes.map({ path + $0 }) {
            guard let found = status(place) else { continue }
            let isLocked = status(lock).map { $0.st_mode & S_IFMT == S_IFREG && $0.st_size == 0 } ?? false
            if isLocked, place == lock || found.st_mode & S_IFMT == S_IFSOCK { continue }
            // A listener that ends at this moment removes its files.
            if status(place) == nil { continue }
            throw DataflowError("\(place) is there, and is not a socket of Tandem's; choose another endpoint, or remove it")
        }
    }

    private static func isSameFile(_ descriptor: Int32, _ path: String) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }
}
