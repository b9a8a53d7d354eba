import Foundation
import Synchronization

/// A web server for one file, on a port of its own, that knows ranges and bad manners.
final class FileServer: Sendable {
    /// How it treats a connection.
    enum Way: Sendable, Equatable {
        case serve
        /// Sends its head a byte at a time.
        case dripHead
        /// Sends a head, and the file a byte at a time.
        case dripBody

        static let drips = [dripHead, dripBody]
    }

    let port: UInt16
    /// What it serves from the next request on.
    let file: Mutex<Data>
    private let listener: Int32

    /// - Parameter ways: of the first connection, the second …; the last way stays.
    init(_ file: Data, ways: [Way]) throws {
        self.file = Mutex(file)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0 && listen(descriptor, 8) == 0
            }
        }
        guard isListening else { throw CocoaError(.fileReadUnknown) }
        port = UInt16(bigEndian: address.sin_port)
        Thread { [weak self] in
            var number = 0
            while case let connection = accept(descriptor, nil, nil), connection >= 0 {
                let way = ways[min(number, ways.count - 1)]
                number += 1
                guard let file = self?.file.withLock({ $0 }) else { return }
                Thread { Self.answer(connection, file, way) }.start()
            }
        }.start()
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func answer(_ connection: Int32, _ file: Data, _ way: Way) {
        defer { close(connection) }
        var request = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !request.contains("\r\n\r\n") {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            request += String(decoding: buffer[..<count], as: UTF8.self)
        }
        let range = request.split(separator: "\r\n").first { $0.lowercased().hasPrefix("range: bytes=") }
        let start = range.flatMap { Int($0.dropFirst("range: bytes=".count).prefix { $0.isNumber }) } ?? 0
        let head = """
            HTTP/1.1 206 Partial Content\r
            Content-Length: \(file.count - start)\r
            Content-Range: bytes \(start)-\(file.count - 1)/\(file.count)\r
            Connection: close\r
            \r

            """
        guard send(Array(head.utf8), to: connection, isDripping: way == .dripHead) else { return }
        _ = send([UInt8](file[start...]), to: connection, isDripping: way == .dripBody)
    }

    /// Sends all; a byte every twentieth of a second where it drips. Returns whether the other side is still there.
    private static func send(_ bytes: [UInt8], to connection: Int32, isDripping: Bool) -> Bool {
        var place = 0
        while place < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress! + place, isDripping ? 1 : bytes.count - place, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            place += count
            guard isDripping else { continue }
            // The client says nothing more: what can be read now is its farewell.
            var state = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
            if poll(&state, 1, 50) != 0 { return false }
        }
        return true
    }
}
