import Sampling

/// What a batcher's memory is for.
///
///     the process    what it takes before it serves anybody
///     queues         samples that were received and not yet looked at, from so many decoders
///     manifest       pages of the file, let go before they are more
///     samples        asked for, waiting for earlier ones, or sent and not yet acknowledged; what is left
enum BatcherMemory {
    /// Samples of one decoder that may wait in its queue. Two more are counted: one that is being received, and one between the two.
    static let queuedSamples = 2
    /// Decoders whose queues are counted. More may join: their queues are empty as long as the batcher keeps up.
    private static let decoders = 16
    /// Records of the manifest that are read before its pages are let go: each may lie in a place of its own, and so may its entry in the
    /// table, and the system maps up to 64 KiB around each.
    static let recordsBetweenReleases = 64
    private static let manifestBytes = recordsBetweenReleases * 2 * (64 << 10)
    private static let minimumTickets = 2

    /// Bytes that are left for samples.
    ///
    /// - Parameters:
    ///   - total: what the whole process may take; malloc's losses come on top, less than a fifth.
    ///   - process: what it takes now.
    static func forSamples(
        of total: Int, process: Int, sampleByteCount: Int, ticketByteCount: Int
    ) throws(DataflowError) -> Int {
        let overhead = process + decoders * (queuedSamples + 2) * sampleByteCount + manifestBytes
        let least = overhead + minimumTickets * ticketByteCount
        guard total >= least else {
            throw DataflowError(
                "\(total >> 20) MiB are too little memory for the batcher: it takes \(overhead >> 20) MiB itself and for its queues, and holds "
                    + "at least \(minimumTickets) tickets of \(ticketByteCount) bytes; give it \((least >> 20) + 1) MiB or more "
                    + "(dataflow.batcherMemory, or --memory)")
        }
        return total - overhead
    }
}
