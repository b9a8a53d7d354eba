import Base
import Console
import Foundation

/// Answers `GET /metrics` in Prometheus' text format and `GET /health` in a sentence, over plain HTTP/1.0, from a thread of its own.
///
/// `/health` is 200 as long as the process makes progress or has nothing to do, and 503 once it has made none for two minutes. Requests are
/// answered one after another, a slow client is cut off by the timeout, and no request changes anything. Where the process is out of file
/// descriptors, requests wait until it has one.
public final class StatusServer {
    /// The port, also where any free one was asked for by 0.
    public let port: UInt16
    private let descriptor: Int32
    private let isEnded = DispatchSemaphore(value: 0)

    /// Listens.
    ///
    /// - Parameters:
    ///   - role: the word after `tandem_` in the names of metrics.
    ///   - timeout: seconds that a request, and then its answer, may take.
    ///   - report: called about once a second, on the thread of the server.
    public init(
        _ address: StatusAddress, role: String, timeout: Double = 2, report: @escaping @Sendable () -> StatusReport
    ) throws(Failure) {
        let descriptor = try address.socket { descriptor, name, length in
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            return bind(descriptor, name, length) == 0 ? listen(descriptor, 16) : -1
        }
        self.descriptor = descriptor
        port = boundPort(descriptor) ?? address.port
        let isEnded = isEnded
        Thread.detachNewThread {
            serve(descriptor, role: role, timeout: timeout, report)
            isEnded.signal()
        }
    }

    deinit {
        // Wakes the thread, whose poll ends with a hang-up.
        shutdown(descriptor, Int32(SHUT_RDWR))
        isEnded.wait()
        close(descriptor)
    }
}

/// A request above this is refused.
private let maximumRequestBytes = 4096

private func serve(_ listener: Int32, role: String, timeout: Double, _ read: () -> StatusReport) {
    var watch = ProgressWatch(now: monotonicSeconds())
    var isShort = false
    while true {
        // While descriptors are short, connections stay in the queue, and poll would return at once because of them. So only the end is
        // waited for then.
        var entry = pollfd(fd: listener, events: Int16(isShort ? 0 : POLLIN), revents: 0)
        if poll(&entry, 1, 1000) < 0, errno != EINTR { sleep(1) }
        if Int32(entry.revents) & POLLHUP != 0 { return }
        let report = read()
        watch.look(at: report.progress, now: monotonicSeconds())
        let descriptor = accept(listener, nil, nil)
        isShort = descriptor < 0 && ![EAGAIN, ECONNABORTED, EINTR].contains(errno)
        guard descriptor >= 0 else { continue }
        let connection = Connection(descriptor, timeout: timeout)
        let request = connection.read(limit: maximumRequestBytes, until: isRequest)
        _ = connection.write(answer(to: request, report, watch, role: role))
    }
}

/// Whether bytes hold a request's head, up to the empty line.
private func isRequest(_ bytes: [UInt8]) -> Bool {
    bytes.indices.contains { bytes[$0] == 10 && (bytes[($0 + 1)...].starts(with: [10]) || bytes[($0 + 1)...].starts(with: [13, 10])) }
}

private func answer(to request: [UInt8], _ report: StatusReport, _ watch: ProgressWatch, role: String) -> String {
    guard isRequest(request) else {
        return request.count < maximumRequestBytes ? response("408 Request Timeout", "too slow") : response("431 Too Large", "too long")
    }
    let words = String(decoding: request.prefix { $0 != 10 && $0 != 13 }, as: UTF8.self).split(separator: " ")
    guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return response("400 Bad Request", "this is not HTTP") }
    guard words[0] == "GET" else { return response("405 Method Not Allowed", "only GET is known here") }
    switch words[1] {
    case "/metrics":
        let metrics =
            report.metrics + processMetrics + [
                .gauge("tandem_\(role)_stalled_seconds", "Time since the process last made progress or had nothing to do.", watch.stalled)
            ]
        return response("200 OK", metrics.map(\.text).joined(), type: "text/plain; version=0.0.4; charset=utf-8")
    case "/health": return response(watch.isHealthy ? "200 OK" : "503 Service Unavailable", watch.verdict(report.sentence) + "\n")
    default: return response("404 Not Found", "there are /metrics and /health\n")
    }
}

private func response(_ status: String, _ body: String, type: String = "text/plain; charset=utf-8") -> String {
    "HTTP/1.0 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
}

/// The metrics that Prometheus' own client libraries have for every process.
private var processMetrics: [Metric] {
    [
        .counter("process_cpu_seconds_total", "Processor time of the process.", processorSeconds()),
        .gauge("process_resident_memory_bytes", "Memory that the process takes.", SystemMemory.resident),
    ]
}

private func boundPort(_ descriptor: Int32) -> UInt16? {
    var address = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let isKnown = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) == 0 }
    }
    guard isKnown else { return nil }
    // The port lies at the same place in both families' addresses.
    return withUnsafeBytes(of: &address) { UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)) }
}
