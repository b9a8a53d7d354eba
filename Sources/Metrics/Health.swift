import Base
import Console
import Foundation

/// The answer of a process to `GET /health`.
public struct Health: Equatable, Sendable {
    /// Whether it makes progress, or has nothing to do.
    public var isHealthy: Bool
    /// What the process says of itself, one line for people.
    public var sentence: String

    /// Asks the process that answers at an address.
    ///
    /// - Throws: where no process answers within five seconds, or the answer is not that of a health request.
    public init(of address: StatusAddress) throws(Failure) {
        let (status, body) = try address.get("/health")
        guard status == "200" || status == "503" else { throw Failure("\(address): what answers there is no process of Tandem's") }
        isHealthy = status == "200"
        sentence = String(body.prefix { $0 != "\n" })
    }
}

extension StatusAddress {
    /// Fetches a page by HTTP/1.0: its status, "200" for instance, and its body.
    ///
    /// - Throws: where no process answers within five seconds, or the answer is not HTTP.
    public func get(_ path: String) throws(Failure) -> (status: String, body: String) {
        let descriptor = try socket { descriptor, name, length in
            connect(descriptor, name, length) == 0 || errno == EINPROGRESS ? 0 : -1
        }
        let connection = Connection(descriptor, timeout: 5)
        guard connection.write("GET \(path) HTTP/1.0\r\nHost: \(self)\r\n\r\n") else {
            throw Failure("\(self): nobody answers; was the process started with --metrics, at this address?")
        }
        let reply = String(decoding: connection.read(limit: 1 << 20, until: { _ in false }), as: UTF8.self)
        let words = reply.prefix { $0 != "\r\n" }.split(separator: " ")
        guard reply.hasPrefix("HTTP/1."), words.count > 1, let end = reply.range(of: "\r\n\r\n") else {
            throw Failure("\(self): what answers there is no process of Tandem's")
        }
        return (String(words[1]), String(reply[end.upperBound...]))
    }
}
