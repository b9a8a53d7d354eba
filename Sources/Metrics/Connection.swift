import Base
import Console
import Glibc

/// One TCP connection with a time limit for its reads and writes. Closes with the value.
struct Connection: ~Copyable {
    private let descriptor: Int32
    /// Seconds that reading, or writing, may take.
    private let timeout: Double

    init(_ descriptor: Int32, timeout: Double) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        self.timeout = timeout
    }

    deinit { close(descriptor) }

    /// Reads until the bytes satisfy `isWhole`, the peer closes, the limit is reached, or time is up.
    func read(limit: Int, until isWhole: ([UInt8]) -> Bool) -> [UInt8] {
        let deadline = monotonicSeconds() + timeout
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < limit, !isWhole(bytes), wait(for: POLLIN, until: deadline) {
            let count = recv(descriptor, &buffer, min(buffer.count, limit - bytes.count), 0)
            if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { break }
            if count > 0 { bytes += buffer[..<count] }
        }
        return bytes
    }

    /// Sends all bytes, or as many as the time allows; returns whether all were sent.
    func write(_ text: String) -> Bool {
        let deadline = monotonicSeconds() + timeout
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count, wait(for: POLLOUT, until: deadline) {
            let count = bytes[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno != EAGAIN, errno != EINTR { return false }
            sent += max(0, count)
        }
        return sent == bytes.count
    }

    /// Whether the socket is ready before the deadline. An error counts as ready: the next call reports it.
    private func wait(for event: Int32, until deadline: Double) -> Bool {
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            let left = deadline - monotonicSeconds()
            guard left > 0 else { return false }
            let count = poll(&entry, 1, Int32((left * 1000).rounded(.up)))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
        }
    }
}
