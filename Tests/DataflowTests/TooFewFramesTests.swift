import Dataflow
import Foundation
import Sampling
import TestSupport
import Testing
import ZeroMQ

/// Stills where pairs of frames are wanted.
@Suite(.timeLimit(.minutes(30))) struct TooFewFramesTests {
    private let still = VideoRecord(
        stillAt: "a.jpg", bytes: 7, width: 340, height: 256, orientation: Orientation(), contentHash: String(repeating: "a", count: 32))

    @Test func aBatcherRefusesAManifestThatItsSamplerCannotDrawFrom() throws {
        try withTemporaryFolder { folder in
            var writer = try ManifestWriter(path: folder + "/manifest.tandem")
            try writer.append(still)
            let manifest = try writer.finish()
            let options = BatcherServer.Options(endpoint: try freshEndpoint(), memory: 400_000, decoderMemory: 60_000, failureLimit: 0.1)
            #expect(throws: ManifestError.self) {
                try BatcherServer(manifest: manifest, seed: 1, sampler: planIdentity().sampler, options: options, log: { _ in })
            }
            let pictures = AnySampler(
                ImageSampler {
                    $0.sampling.imageSize = 32
                    $0.patchSize = 8
                })
            _ = try BatcherServer(manifest: manifest, seed: 1, sampler: pictures, options: options, log: { _ in })
        }
    }

    /// Another program's batcher may send anything.
    @Test func aTicketOfAStillIsAFailureOfThatVideo() throws {
        let endpoint = try freshEndpoint()
        let options = Socket.Options(sendHighWaterMark: 64, receiveHighWaterMark: 64, linger: 0, maximumMessageBytes: 1 << 20)
        let (control, samples) = (try Socket(.router, in: Context(), options: options), try Socket(.pull, in: Context(), options: options))
        try control.bind(to: endpoint.control)
        try samples.bind(to: endpoint.samples)
        let decoder = startDecoder(at: endpoint)
        defer { decoder.stop() }
        var poller = Poller([control])
        while true {
            _ = try poller.wait(milliseconds: 100)
            guard let parts = try control.receiveParts(limit: 2) else { continue }
            func send(_ reply: DecoderReply) throws { _ = try control.send(parts: [Message(parts[0].copy), Message(reply.bytes)]) }
            switch try parts[1].withBytes({ try DecoderRequest($0) }) {
            case .hello:
                try send(.welcome(Welcome(identity: planIdentity(), capacity: 5, examples: ["a.jpg"])))
                try send(.ticket(Ticket(ticket: 9, attempt: 1, video: 0, record: still)))
            case .failed(_, let ticket, let attempt, let kind, let reason):
                #expect(ticket == 9 && attempt == 1 && kind == "too few frames")
                #expect(reason == "a.jpg is a still, and samples of the kind 'frame-pair' want videos of 2 frames or more")
                return
            default: continue
            }
        }
    }
}
