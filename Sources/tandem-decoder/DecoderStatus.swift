import Dataflow
import Metrics
import Synchronization

/// The status report of a decoder, made on another thread than the one that decodes.
final class DecoderStatus: Sendable {
    /// Pictures decoded, wanted or not.
    let framesDecoded = Atomic(0)
    /// Looks at a decoder that has no ticket. They count as progress, so that an idle decoder is healthy.
    private let idleLooks = Atomic(0)

    func look(isWorking: Bool) {
        if !isWorking { idleLooks.add(1, ordering: .relaxed) }
    }

    func report(_ counters: DecoderCounters) -> StatusReport {
        let (progress, frames) = (counters.progress, framesDecoded.load(ordering: .relaxed))
        return StatusReport(
            "\(progress.samples) samples made, " + (counters.isWorking ? "at work" : "waiting for tickets"),
            progress: idleLooks.load(ordering: .relaxed) + frames + progress.samples + progress.failures + progress.pictures,
            metrics: [
                .gauge("tandem_decoder_tickets_in_work", "Whether a ticket is in work.", counters.isWorking ? 1 : 0),
                .counter("tandem_decoder_samples_total", "Samples made and sent.", progress.samples),
                .counter("tandem_decoder_pictures_total", "Pictures decoded, cropped and resized.", progress.pictures),
                .counter("tandem_decoder_frames_decoded_total", "Frames decoded, wanted or not.", frames),
                .counter(
                    "tandem_decoder_errors_total", "Tickets whose video could not give its frames.", by: "reason", counters.failuresByKind),
            ])
    }
}
