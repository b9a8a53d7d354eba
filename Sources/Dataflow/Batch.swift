import Base
import Sampling
import ZeroMQ

/// Consecutive samples of a run, in order, in the memory they were received in.
public final class Batch {
    /// The run's index of the first sample.
    public let first: Int
    /// The failed visits of the samples' tickets, ascending by ticket and attempt.
    public let replaced: [Replacement]
    private let messages: [Message]
    private let blocks: [SampleBlock]

    init(first: Int, replaced: [Replacement], messages: [Message]) throws(MalformedBytes) {
        self.first = first
        self.replaced = replaced
        self.messages = messages
        var blocks: [SampleBlock] = []
        // A block points into its message, which this object keeps.
        for message in messages { blocks.append(try message.withBytes { bytes throws(MalformedBytes) in try SampleBlock(bytes) }) }
        self.blocks = blocks
    }

    /// Samples in the batch.
    public var count: Int { blocks.count }

    /// Whether ``replaced`` lists each failed attempt of the samples' tickets, and nothing else.
    func isListOfReplacedWhole(replicas: Int) -> Bool {
        var rest = replaced[...]
        for block in blocks where block.header.sample % replicas == 0 || block.header.sample == first {
            for attempt in 0..<block.header.attempt {
                guard let next = rest.popFirst(), next.ticket == block.header.sample / replicas, next.attempt == attempt else {
                    return false
                }
            }
        }
        return rest.isEmpty
    }

    /// Lends the samples; neither they nor pointers into them may leave `body`, for the batch may be gone right after.
    public func withSamples<Value>(_ body: ([SampleBlock]) throws -> Value) rethrows -> Value {
        try withExtendedLifetime(messages) { try body(blocks) }
    }
}
