import Configuration
import Dataflow
import Sampling
import Training
import ZeroMQ

/// The micro-batches of a run in order, asked for ahead of time.
final class BatchStream {
    private let client: BatchClient
    private let cut: Shards
    private let shards: Range<Int>
    /// Where the first step stands that was not asked for.
    private var ahead: TrainingCursor
    /// What was not asked for of steps before.
    private var passes: ArraySlice<Range<Int>> = []

    /// Requests under way beyond the byte credit serve nothing; this many keep the credit busy.
    private static let requestsAhead = 64

    /// - Parameter shards: those of each step that are computed here.
    init(
        _ pipeline: Pipeline, _ manifest: Manifest, from cursor: TrainingCursor, of shards: Range<Int>, as trainer: TrainerRank,
        at endpoint: Endpoint, _ context: Context
    ) throws {
        client = try BatchClient(
            endpoint: endpoint, trainer: trainer, identity: pipeline.planIdentity(manifest), credit: pipeline.dataflow.trainerMemory << 20,
            timeout: pipeline.dataflow.timeout, context: context, log: note)
        (cut, self.shards) = (pipeline.train.cut, shards)
        ahead = cursor
    }

    /// Seconds spent waiting for data.
    var waitedSeconds: Double { client.waitedSeconds }

    /// Decoders at work.
    var decoderCount: Int { client.decoderCount }

    /// Visits to videos that failed of samples that were not handed out, where the batcher refused to go on because of them.
    var replacedAtTheEnd: [Replacement] { client.replacedAtTheEnd }

    /// The next micro-batch, nil where the wait was cancelled.
    func next(isCancelled: () -> Bool) throws -> Batch? {
        while client.requestCount < Self.requestsAhead, let samples = nextPass() {
            try client.request(first: samples.lowerBound, count: samples.count)
        }
        return try client.next(isCancelled: isCancelled)
    }

    /// Speaks with the batcher without waiting for it, while this trainer waits for others.
    func attend() throws { try client.attend() }

    /// The samples of the next pass to ask for; nil at the end of the run.
    private func nextPass() -> Range<Int>? {
        while passes.isEmpty, !ahead.isFinished {
            let first = ahead.samplesSeen
            passes =
                cut.passes(ofShards: shards, stepSize: ahead.stepSize).joined().map {
                    first + $0.lowerBound..<first + $0.upperBound
                }[...]
            ahead.finishStep()
        }
        return passes.popFirst()
    }

    func close() throws { try client.close() }
}
