import Base
import Files
import Glibc

/// A folder of CURVE keys, as `tandem keys` makes it and `--keys` names it.
///
///     server.key    secret key of those who listen: batcher and trainer       (mode 0600)
///     server.pub    their public key, for those who connect
///     client.key    secret key of those who connect: decoders, evaluators     (mode 0600)
///     allowed       public keys that may connect, a line each, with a name behind it
///
/// A machine that only connects needs `client.key` and `server.pub`, one that only listens `server.key` and `allowed`.
public struct KeyFolder: Sendable {
    /// The folder, as it was named; it need not exist.
    public let path: String

    /// Names a folder, of which nothing is read yet.
    public init(_ path: String) { self.path = path }

    /// A key whose owner may connect, and the owner's name.
    public struct Allowed: Equatable, Sendable {
        /// The public key.
        public var key: CurveKey
        /// What stands behind the key in its line; may be empty.
        public var name: String
    }

    /// The secret key of those who listen.
    public func serverKey() throws(Failure) -> CurveKey { try secret("server.key") }

    /// The secret key of those who connect, and the public one of those who listen.
    public func clientKeys() throws(Failure) -> (own: CurveKey, server: CurveKey) {
        let text = try read("server.pub")
        guard let server = CurveKey(text.trimmed) else { throw Failure("\(path)/server.pub: this is not a public key; copy it again") }
        return (try secret("client.key"), server)
    }

    /// The keys that may connect. Lines that begin with "# " are comments.
    public func allowed() throws(Failure) -> [Allowed] {
        var allowed: [Allowed] = []
        for (index, line) in try read("allowed").split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
            guard let first = words.first, first != "#" else { continue }
            guard let key = CurveKey(String(first)) else {
                throw Failure("\(path)/allowed, line \(index + 1): this does not begin with a public key of 40 characters")
            }
            allowed.append(Allowed(key: key, name: words.dropFirst().joined(separator: " ")))
        }
        return allowed
    }

    /// Makes the folder with a pair for those who listen, a pair for those who connect, and the list with the latter.
    ///
    /// - Throws: where one of the files exists already, so that no key is ever lost.
    public func create() throws(Failure) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Failure("\(path): \(String(cString: strerror(errno)))") }
        for name in ["server.key", "server.pub", "allowed", "client.key"] where exists(name) { throw existing(name) }
        let server = CurveKey.makeSecret()
        try write("server.key", server.text + "\n", mode: 0o600)
        try write("server.pub", server.publicKey.text + "\n", mode: 0o644)
        try write("allowed", "# Public keys that may connect, a line each; what follows a key is its name.\n", mode: 0o644)
        try addClient("client")
    }

    /// Makes one more pair for those who connect, `NAME.key`, and allows it.
    public func addClient(_ name: String) throws(Failure) {
        guard !name.isEmpty, name != "server", !name.contains("/"), !name.hasPrefix("."), name.onOneLine == name else {
            throw Failure("'\(name.onOneLine)' cannot name a key: choose a name without slashes and ends of lines, other than 'server'")
        }
        // A file that holds something else is not Tandem's, and nothing is added to it.
        _ = try allowed()
        let list = try read("allowed")
        var status = stat()
        guard lstat(path + "/allowed", &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure("\(path)/allowed is a link, which would be replaced; put the list itself there")
        }
        guard !exists(name + ".key") else { throw existing(name + ".key") }
        let secret = CurveKey.makeSecret()
        try write(name + ".key", secret.text + "\n", mode: 0o600)
        try replace("allowed", list + (list.hasSuffix("\n") ? "" : "\n") + "\(secret.publicKey) \(name)\n")
    }

    private func secret(_ name: String) throws(Failure) -> CurveKey {
        var status = stat()
        if stat(path + "/" + name, &status) == 0, status.st_mode & 0o077 != 0 {
            throw Failure("\(path)/\(name): others can read this secret key: chmod 600 \(path)/\(name)")
        }
        guard let key = CurveKey(try read(name).trimmed) else {
            throw Failure("\(path)/\(name): this is not a secret key; 'tandem keys FOLDER' makes keys")
        }
        return key
    }

    private func read(_ name: String) throws(Failure) -> String {
        let file = path + "/" + name
        if let obstacle = obstacleToReading(file) { throw Failure("\(file): \(obstacle); 'tandem keys FOLDER' makes keys") }
        guard let stream = fopen(file, "re") else {
            throw Failure("\(file): \(String(cString: strerror(errno))); 'tandem keys FOLDER' makes keys")
        }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, stream)
        guard count < bytes.count, let text = String(validating: bytes[..<count], as: UTF8.self) else {
            throw Failure("\(file): this is not a file of keys")
        }
        return text
    }

    private func write(_ name: String, _ text: String, mode: mode_t) throws(Failure) {
        let file = path + "/" + name
        let descriptor = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw errno == EEXIST ? existing(name) : Failure("\(file): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var text = text
        let isWritten = text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count } && fsync(descriptor) == 0
        guard isWritten else {
            let failure = Failure("\(file): \(String(cString: strerror(errno)))")
            unlink(file)
            throw failure
        }
    }

    private func exists(_ name: String) -> Bool {
        var status = stat()
        return lstat(path + "/" + name, &status) == 0
    }

    private func existing(_ name: String) -> Failure {
        Failure("\(path)/\(name) exists already and is kept; choose another folder or name")
    }

    /// Replaces the file in one step, because processes may read it at any moment.
    private func replace(_ name: String, _ text: String) throws(Failure) {
        do { try writeAtomically(path + "/" + name) { try $0.write(Array(text.utf8)) } } catch { throw Failure("\(error)") }
    }
}

extension String {
    fileprivate var trimmed: String { String(prefix { !$0.isNewline && $0 != " " }) }
}
