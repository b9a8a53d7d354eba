import Foundation
import Metrics
import Synchronization
import TestSupport
import Testing

/// What a server is to say, changed by the test.
private final class Progress: Sendable {
    let value = Atomic(0)
    var report: StatusReport {
        let value = value.load(ordering: .relaxed)
        return StatusReport("step \(value) of 9", progress: value, metrics: [.gauge("tandem_test_step", "Step.", value)])
    }
}

/// Connects a socket to a port of this machine. Says whether that was possible.
private func connect(_ descriptor: Int32, to port: UInt16) -> Bool {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
}

@Suite(.timeLimit(.minutes(30))) struct StatusServerTests {
    private let progress = Progress()
    private let server: StatusServer

    init() throws {
        let progress = progress
        server = try StatusServer(StatusAddress("0"), role: "test", timeout: 0.5, report: { progress.report })
    }

    private var address: StatusAddress { get throws { try StatusAddress("\(server.port)") } }

    /// Everything that comes back for some bytes.
    private func exchange(_ text: String) throws -> String {
        let descriptor = try connection()
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        var reply: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 { reply += buffer[..<count] }
        return String(decoding: reply, as: UTF8.self)
    }

    private func connection() throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(connect(descriptor, to: server.port))
        return descriptor
    }

    @Test func pagesAndHealthAreServed() throws {
        progress.value.store(3, ordering: .relaxed)
        let reply = try exchange("GET /metrics HTTP/1.1\r\nHost: here\r\nAccept: */*\r\n\r\n")
        let (head, body) = try #require(reply.range(of: "\r\n\r\n").map { (reply[..<$0.lowerBound], reply[$0.upperBound...]) })
        #expect(head.hasPrefix("HTTP/1.0 200 OK\r\n"))
        #expect(head.contains("Content-Type: text/plain; version=0.0.4"))
        #expect(head.contains("Content-Length: \(body.utf8.count)\r\n"))
        let page = try ExpositionText(String(body))
        #expect(page.samples[.init(name: "tandem_test_step")] == 3)
        #expect(page.samples[.init(name: "process_resident_memory_bytes")]! > 1e6)
        #expect(page.families["process_cpu_seconds_total"]?.type == "counter")

        #expect(try Health(of: address).sentence == "step 3 of 9")
        progress.value.store(4, ordering: .relaxed)
        let health = try Health(of: address)
        #expect(health.isHealthy && health.sentence == "step 4 of 9")
    }

    @Test(arguments: [
        ("GET / HTTP/1.0\r\n\r\n", "404"), ("GET /metrics/.. HTTP/1.0\n\n", "404"), ("POST /health HTTP/1.0\r\n\r\nbody", "405"),
        ("hello\r\n\r\n", "400"), ("GET /health\r\n\r\n", "400"), ("GET /\u{0}\u{7F}\u{0} HTTP/1.0\r\n\r\n", "404"), ("", "408"),
        ("GET /health HTTP/1.0\r\nHost: never", "408"),
    ])
    func whatMakesNoSenseIsRefused(request: String, status: String) throws {
        #expect(try exchange(request).hasPrefix("HTTP/1.0 \(status) "))
        #expect(try Health(of: address).isHealthy)
    }

    /// The connection may be cut before the answer is read, for bytes are left over; what counts is that the server goes on.
    @Test func endlessRequestsAreCutOff() throws {
        let reply = try exchange("GET /" + String(repeating: "a", count: 1 << 20))
        #expect(reply.isEmpty || reply.hasPrefix("HTTP/1.0 431 "))
        #expect(try Health(of: address).isHealthy)
    }

    @Test func whoSaysNothingIsNotWaitedForLong() throws {
        let silent = try connection()
        defer { close(silent) }
        #expect(try Health(of: address).isHealthy)
    }

    /// In a process of its own, whose descriptors are used up. A server that spins looks at its report thousands of times.
    @Test func aProcessWithoutDescriptorsAnswersOnceItHasSome() async {
        await #expect(processExitsWith: .success) {
            let progress = Progress()
            let server = try StatusServer(
                StatusAddress("0"), role: "test",
                report: {
                    progress.value.add(1, ordering: .relaxed)
                    return progress.report
                })
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            var taken: [Int32] = []
            while case let descriptor = open("/dev/null", O_RDONLY), descriptor >= 0 { taken.append(descriptor) }
            #expect(errno == EMFILE && !taken.isEmpty)

            #expect(connect(client, to: server.port))
            let before = progress.value.load(ordering: .relaxed)
            sleep(3)
            let looks = progress.value.load(ordering: .relaxed) - before
            #expect(looks < 10, "\(looks) turns in three seconds")

            for descriptor in taken { close(descriptor) }
            _ = send(client, "GET /health HTTP/1.0\r\n\r\n", 24, Int32(MSG_NOSIGNAL))
            var reply = [UInt8](repeating: 0, count: 1000)
            let count = recv(client, &reply, reply.count, 0)
            #expect(String(decoding: reply.prefix(max(count, 0)), as: UTF8.self).hasPrefix("HTTP/1.0 200 OK"))
        }
    }

    @Test func aPortInUseAndAnAbsentServerAreToldOf() throws {
        #expect { _ = try StatusServer(StatusAddress("\(server.port)"), role: "test", report: { Progress().report }) } throws: {
            "\($0)".contains("127.0.0.1:\(server.port): ") && "\($0)".contains("in use")
        }
        let port: UInt16
        do { port = try StatusServer(StatusAddress("0"), role: "test", report: { Progress().report }).port }
        #expect { _ = try Health(of: StatusAddress("\(port)")) } throws: { "\($0)".contains("--metrics") || "\($0)".contains("refused") }
    }
}
