import Foundation

/// A real web server that serves a folder on a port of its own.
final class Nginx {
    /// The program, nil where it is not installed.
    static let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].first { FileManager.default.isExecutableFile(atPath: $0) }
    static let absence = "no nginx to serve videos; 'apt-get install nginx-light' installs it"

    static let hasOpenSSL = ["/usr/bin/openssl", "/usr/local/bin/openssl"].contains { FileManager.default.isExecutableFile(atPath: $0) }

    private let folder: String
    private let root: String
    private let port: UInt16
    /// Whether it speaks https, with a ``certificate`` of its own making.
    private let isSecure: Bool
    private var process: Process?

    var url: String { (isSecure ? "https" : "http") + "://127.0.0.1:\(port)" }
    var certificate: String { folder + "/certificate.pem" }

    /// - Parameters:
    ///   - root: the folder to serve.
    ///   - folder: where it may keep its own files.
    ///   - identity: what its certificate says that it is; nil: it speaks http, without one.
    init(serving root: String, in folder: String, identity: String? = nil) throws {
        self.root = root
        self.folder = folder
        isSecure = identity != nil
        port = try Self.freePort()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if let identity { try makeCertificate(identity) }
    }

    private func makeCertificate(_ identity: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext",
            "subjectAltName=" + identity, "-keyout", folder + "/key.pem", "-out", certificate,
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
    }

    deinit { stop() }

    /// Starts it and waits until it listens.
    ///
    /// - Parameter answer: what it does with every request; nil: serve the file.
    func start(answer: String? = nil) throws {
        let security = isSecure ? "ssl_certificate \(certificate); ssl_certificate_key \(folder)/key.pem;" : ""
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder);" }.joined(separator: " ")
        let configuration = """
            daemon off; master_process off; pid \(folder)/pid; error_log \(folder)/error.log;
            events {}
            http { access_log \(folder)/access.log; \(temporary) 
                server { listen 127.0.0.1:\(port)\(isSecure ? " ssl" : ""); \(security) root \(root); \(answer ?? "") } }
            """
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: folder + "/nginx.conf"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program!)
        process.arguments = ["-p", folder, "-c", folder + "/nginx.conf"]
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        while process.isRunning, !Self.canConnect(port) { usleep(10_000) }
    }

    /// Ends it at once, in the middle of what it does.
    func stop() {
        guard let process else { return }
        signal(SIGKILL)
        process.waitUntilExit()
        self.process = nil
    }

    func signal(_ number: Int32) { if let process { kill(process.processIdentifier, number) } }

    /// Lines of the requests that it answered.
    var requests: [Substring] {
        ((try? String(contentsOfFile: folder + "/access.log", encoding: .utf8)) ?? "").split(separator: "\n")
    }

    private static func freePort() throws -> UInt16 {
        try withSocket { socket in
            var address = loopback(port: 0)
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isBound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, size) == 0 && getsockname(socket, $0, &size) == 0
                }
            }
            guard isBound else { throw CocoaError(.fileReadUnknown) }
            return UInt16(bigEndian: address.sin_port)
        }
    }

    private static func canConnect(_ port: UInt16) -> Bool {
        withSocket { socket in
            var address = loopback(port: port)
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }
    }

    private static func withSocket<Result>(_ body: (Int32) throws -> Result) rethrows -> Result {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return try body(descriptor)
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
