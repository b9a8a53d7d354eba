import Configuration
import Dataflow
import Sampling
import Training
import ZeroMQ

/// The micro-batches of a run in order, asked for ahead of time.
final class BatchStream {
    private let client: BatchClient
    private let size: Int
    private var nextSample: Int
    private let endSample: Int

    /// Requests under way beyond the byte credit serve nothing; this many keep the credit busy.
    private static let requestsAhead = 64

    init(_ pipeline: Pipeline, _ manifest: Manifest, from cursor: TrainingCursor, at endpoint: Endpoint, _ context: Context) throws {
        client = try BatchClient(
            endpoint: endpoint, identity: pipeline.planIdentity(manifest), credit: pipeline.dataflow.trainerMemory << 20,
            timeout: pipeline.dataflow.timeout, context: context, log: note)
        size = pipeline.train.microBatchSize
        nextSample = cursor.samplesSeen
        endSample = cursor.totalSamples
    }

    /// Seconds spent waiting for data.
    var waitedSeconds: Double { client.waitedSeconds }

    /// Decoders at work.
    var decoderCount: Int { client.decoderCount }

    /// Visits to videos that failed of samples that were not handed out, where the batcher refused to go on because of them.
    var replacedAtTheEnd: [Replacement] { client.replacedAtTheEnd }

    /// The next micro-batch, nil where the wait was cancelled. The run's last one takes what is left.
    func next(isCancelled: () -> Bool) throws -> Batch? {
        while client.requestCount < Self.requestsAhead, nextSample < endSample {
            let count = min(size, endSample - nextSample)
            try client.request(first: nextSample, count: count)
            nextSample += count
        }
        return try client.next(isCancelled: isCancelled)
    }

    func close() throws { try client.close() }
}
