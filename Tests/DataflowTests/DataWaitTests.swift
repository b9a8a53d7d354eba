import Dataflow
import Foundation
import Sampling
import Testing
import ZeroMQ

@Suite struct DataWaitTests {
    @Test(arguments: [
        // Two decoders that leave a trainer waiting 60 % of the time give 0.4 of what it takes: five would give all.
        (0.6, 2, 3, "data wait 60.0 %, add about 3 decoders"), (0.5, 1, 1, "data wait 50.0 %, add about 1 decoder"),
        (0.11, 8, 1, "data wait 11.0 %, add about 1 decoder"), (0.009, 8, 0, "data wait 0.9 %"), (0.0, 4, 0, "data wait 0.0 %"),
        // Without decoders there is nothing to reckon with; next to no data says only that there must be many more.
        (0.7, 0, 0, "data wait 70.0 %"), (1.0, 2, 2000, "data wait 100.0 %, add about 2000 decoders"),
    ])
    func adviceFollowsFromTheShare(share: Double, decoders: Int, missing: Int, text: String) {
        let wait = DataWait(share: share, decoders: decoders)
        #expect(wait.missingDecoders == missing)
        #expect(wait.text == text)
    }

    /// A status tells what was lost of that which had been asked for when its ping went; what was asked for since is not asked for again.
    @Test(.timeLimit(.minutes(30))) func onlyWhatIsLostIsAskedForAgain() throws {
        let endpoint = try freshEndpoint()
        let batcher = try Socket(
            .router, in: Context(),
            options: .init(sendHighWaterMark: 64, receiveHighWaterMark: 64, linger: 0, maximumMessageBytes: 1 << 16))
        try batcher.bind(to: endpoint.batches)
        let client = try BatchClient(endpoint: endpoint, identity: planIdentity(), credit: 1 << 20, timeout: 30, log: { _ in })
        var requests: [Int] = []
        var route: Message?
        var ping: TrainerRequest?
        func receive() throws {
            while let parts = try batcher.receiveParts(limit: 2) {
                let from = parts[0].copy
                switch try parts[1].withBytes({ try TrainerRequest($0) }) {
                case .open:
                    _ = try batcher.send(parts: [Message(from), Message(TrainerReply.accepted(sampleByteCount: 7000).bytes)])
                case .samples(_, let first, _, _): requests.append(first)
                case .ping(let trainer, let received, let asked): ping = .ping(trainer: trainer, received: received, asked: asked)
                case .goodbye, .ask: break
                }
                route = Message(from)
            }
        }
        func wait(until isDone: () -> Bool) throws {
            _ = try client.next {
                do { try receive() } catch { Issue.record(error) }
                return isDone()
            }
        }
        try client.request(first: 0, count: 5)
        try wait { ping != nil }
        guard case .ping(_, 0, let asked) = ping else {
            Issue.record("\(String(describing: ping))")
            return
        }
        #expect(asked == 5)
        try client.request(first: 5, count: 5)
        _ = try batcher.send(
            parts: [try #require(route), Message(TrainerReply.status(decoders: 3, asked: asked, pending: []).bytes)])
        ping = nil
        // The next ping goes a second later: by then the status has come.
        try wait { ping != nil }
        #expect(requests == [0, 5, 0])
        #expect(client.decoderCount == 3)
    }
}
