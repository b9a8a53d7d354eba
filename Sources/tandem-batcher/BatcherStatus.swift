import Dataflow
import Metrics

/// The status report of a batcher.
struct BatcherStatus {
    /// Reports made while no batch is requested. They count as progress, so that an idle batcher is healthy.
    private var idleLooks = 0

    mutating func report(_ server: BatcherServer, refusals: Int) -> StatusReport {
        let (broker, counters) = (server.broker, server.broker.counters)
        let isIdle = broker.pendingRequests.isEmpty && broker.failure == nil
        if isIdle { idleLooks += 1 }
        return StatusReport(
            broker.failure
                ?? "\(counters.shipped) samples shipped, decoders at work: \(broker.decoderCount); "
                + (isIdle ? "no batch is asked for" : "batches asked for: \(broker.pendingRequests.count)"),
            progress: idleLooks + counters.accepted + counters.shipped + counters.failures,
            metrics: [
                .gauge("tandem_batcher_decoders", "Decoders at work.", broker.decoderCount),
                .gauge("tandem_batcher_pending_requests", "Batches that were asked for and are not shipped.", broker.pendingRequests.count),
                .gauge("tandem_batcher_reorder_depth", "Samples that wait for earlier ones or to be asked for.", server.waitingSamples),
                .gauge(
                    "tandem_batcher_inflight_bytes", "Credit in use: samples asked for, waiting, or shipped and not acknowledged.",
                    broker.windowCount * broker.plan.replicas * server.sampleByteCount),
                .counter("tandem_batcher_tickets_issued_total", "Tickets given to decoders, again or for the first time.", counters.issued),
                .counter("tandem_batcher_tickets_reissued_total", "Tickets given to a decoder again.", counters.reissued),
                .counter("tandem_batcher_leases_expired_total", "Tickets taken from decoders that fell silent or stuck.", counters.expired),
                .counter(
                    "tandem_batcher_head_of_line_seconds_total", "Time in which a full window waited for its first ticket.",
                    counters.headOfLineSeconds),
                .counter("tandem_batcher_samples_accepted_total", "Samples that came in and were kept.", counters.accepted),
                .counter("tandem_batcher_samples_shipped_total", "Samples sent to the trainer.", counters.shipped),
                .counter(
                    "tandem_batcher_duplicates_dropped_total", "Samples and failures that came in and were not needed.", counters.duplicates
                ),
                .counter(
                    "tandem_batcher_errors_total", "Visits to videos that could not give their frames.", by: "reason",
                    counters.failuresByKind),
                .counter("tandem_batcher_malformed_messages_total", "Messages dropped because they made no sense.", server.malformed),
                .counter("tandem_batcher_refusals_total", "Connections refused for want of an allowed key.", refusals),
            ])
    }
}
