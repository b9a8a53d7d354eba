import Dataflow
import Foundation
import Synchronization
import Testing
import ZeroMQ

/// Doors that are open because the user said so.
@Suite(.timeLimit(.minutes(30))) struct InsecureTests {
    @Test func anOpenDoorIsWarnedOfAgainAndAgain() throws {
        let count = Atomic(0)
        let context = try Context(
            keys: nil, isInsecure: true, listening: Endpoint("tcp://192.0.2.1:5555"), warningInterval: 0.01,
            log: { line in
                #expect(line.hasPrefix("warning: tcp://192.0.2.1:5555 is open without keys"))
                count.add(1, ordering: .relaxed)
            })
        while count.load(ordering: .relaxed) < 5 { usleep(1000) }
        _ = try Endpoint("tcp://192.0.2.1:5555").reserve(for: context)
    }

    /// Nothing is open that others reach.
    @Test(arguments: ["tcp://127.0.0.1:5555", "tcp://localhost:5555", "ipc:///tmp/nowhere"])
    func closedDoorsAreNotWarnedOf(endpoint: String) throws {
        let context = try Context(
            keys: nil, isInsecure: true, listening: Endpoint(endpoint), log: { Issue.record("\(endpoint): \($0)") })
        #expect(context.isInsecure)
    }

    @Test func withoutTheWordOpenDoorsAreRefused() throws {
        let endpoint = try Endpoint("tcp://192.0.2.1:5555")
        #expect { _ = try endpoint.reserve(for: Context()) } throws: { "\($0)".contains("--insecure") && "\($0)".contains("tandem keys") }
    }
}
