import Dataflow
import Metrics
import Synchronization

/// What a decoder tells about itself, on a thread that does not wait for the one that decodes.
final class DecoderStatus: Sendable {
    /// Pictures decoded, wanted or not.
    let framesDecoded = Atomic(0)
    /// Looks at a decoder that has no ticket: to wait is progress then.
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
