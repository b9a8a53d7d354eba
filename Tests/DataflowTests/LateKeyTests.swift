import Dataflow
import Foundation
import Synchronization
import TestSupport
import Testing
import ZeroMQ

/// Decoder, trainer and evaluator whose key is allowed while they wait.
@Suite(.timeLimit(.minutes(30))) struct LateKeyTests {
    private let folder: TemporaryFolder
    private let keys: KeyFolder
    private let late: KeyFolder

    init() throws {
        folder = try TemporaryFolder()
        (keys, late) = (KeyFolder(folder.file("keys")), KeyFolder(folder.file("late")))
        try keys.create()
        try late.create()
        try FileManager.default.removeItem(atPath: late.path + "/server.pub")
        try FileManager.default.copyItem(atPath: keys.path + "/server.pub", toPath: late.path + "/server.pub")
    }

    /// The server's context, and what has it read the list with the late key in it.
    private func listening() throws -> (context: Context, allow: () throws -> Void) {
        let hasNewKeys = Flag()
        let context = Context(credentials: try Credentials(keys, listens: true), shouldReload: { hasNewKeys.take() })
        return (
            context,
            {
                try FileManager.default.removeItem(atPath: keys.path + "/allowed")
                try FileManager.default.copyItem(atPath: late.path + "/allowed", toPath: keys.path + "/allowed")
                hasNewKeys.set()
            }
        )
    }

    private func connecting() throws -> Context { Context(credentials: try Credentials(late, connects: true)) }

    @Test func decodersAndTrainersWaitAndJoin() throws {
        let endpoint = try Endpoint("tcp://127.0.0.1:\(freePorts(3))")
        let (context, allow) = try listening()
        let batcher = try startBatcher(at: endpoint, context: context)
        let lines = Mutex<[String]>([])
        let log: @Sendable (String) -> Void = { line in lines.withLock { $0.append(line) } }
        let clientContext = try connecting()
        let decoder = startDecoder(at: endpoint, context: clientContext, log: log)
        let trainer = try BatchClient(
            endpoint: endpoint, identity: planIdentity(), credit: 100_000, timeout: 60, context: clientContext, log: log)
        try trainer.request(first: 0, count: 5)
        let reason = ", which does not let this process in: this machine's key \(try late.clientKeys().own.publicKey) is not among those"
        func said() -> Int { lines.withLock { $0.count { $0.hasPrefix("waiting for the batcher at \(endpoint)\(reason)") } } }
        while said() < 2 { #expect(try trainer.next { said() >= 2 } == nil) }
        try allow()
        #expect(try trainer.next()?.count == 5)
        decoder.stop()
        batcher.stop()
    }

    @Test func evaluatorsWaitAndAreServed() throws {
        let endpoint = try Endpoint("tcp://127.0.0.1:\(freePorts(1))")
        let (context, allow) = try listening()
        let server = try CheckpointServer(endpoint, in: context) { _ in ([1], false) }
        server.announce(10)
        let client = try CheckpointClient(endpoint, in: connecting(), identity: 1)
        while client.refusal == nil {
            guard case .absence = try client.next(seconds: 0.05) else { throw DataflowError("it was let in without a key") }
        }
        #expect(client.refusal?.contains("is not among those allowed") == true)
        try allow()
        let box = UncheckedBox(server)
        let serving = Background { isStopped in
            let server = box.take()
            while !isStopped() {
                _ = try server.serve(now: ProcessInfo.processInfo.systemUptime)
                usleep(5000)
            }
        }
        var isServed = false
        while !isServed { if case .checkpoint(10, _, _) = try client.next(seconds: 1) { isServed = true } }
        serving.stop()
    }
}

private final class Flag: Sendable {
    private let isSet = Atomic(false)
    func set() { isSet.store(true, ordering: .relaxed) }
    func take() -> Bool { isSet.exchange(false, ordering: .relaxed) }
}
