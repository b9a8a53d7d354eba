import Sampling
import ZeroMQ

/// Consecutive samples of a run, in order, in the memory they were received in.
public final class Batch {
    /// The run's index of the first sample.
    public let first: Int
    private let messages: [Message]
    private let blocks: [SampleBlock]

    init(first: Int, messages: [Message]) throws(MalformedBytes) {
        self.first = first
        self.messages = messages
        var blocks: [SampleBlock] = []
        // A block points into its message, which this object keeps.
        for message in messages { blocks.append(try message.withBytes { bytes throws(MalformedBytes) in try SampleBlock(bytes) }) }
        self.blocks = blocks
    }

    public var count: Int { blocks.count }

    /// Lends the samples; neither they nor pointers into them may leave `body`, for the batch may be gone right after.
    public func withSamples<Value>(_ body: ([SampleBlock]) throws -> Value) rethrows -> Value {
        try withExtendedLifetime(messages) { try body(blocks) }
    }
}
