import Base
import Glibc

/// Where a process answers questions about itself: `HOST:PORT`, or `PORT` alone on this machine's loopback.
public struct StatusAddress: Sendable, CustomStringConvertible {
    let host: String
    let port: UInt16

    /// What `--help` says of an option that takes one.
    public static let help = "answer GET /metrics (Prometheus) and GET /health there; a port alone is this machine's; default: nowhere"

    /// Reads `HOST:PORT` or `PORT`; throws where the text is neither, and looks no host up.
    public init(_ text: String) throws(Failure) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let host = parts.count == 1 ? "127.0.0.1" : parts.dropLast().joined(separator: ":")
        guard let port = UInt16(parts.last!), !host.isEmpty else {
            throw Failure("'\(text)' is no address; one reads HOST:PORT, or PORT on this machine's loopback, e.g. 127.0.0.1:9100")
        }
        // An IPv6 address stands in brackets.
        self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        self.port = port
    }

    public var description: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

    /// Makes a socket for the first of the host's addresses for which `use`, bind or connect, gives 0.
    func socket(_ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32) throws(Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, "\(port)", &hints, &list)
        guard code == 0 else { throw Failure("\(self): \(String(cString: gai_strerror(code)))") }
        defer { freeaddrinfo(list) }
        var next = list
        var reason = "the host has no address"
        while let entry = next {
            next = entry.pointee.ai_next
            let descriptor = Glibc.socket(
                entry.pointee.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            if descriptor >= 0, use(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) == 0 { return descriptor }
            reason = String(cString: strerror(errno))
            close(descriptor)
        }
        throw Failure("\(self): \(reason)")
    }
}
