import Dispatch
import Foundation
import Sampling
import Synchronization
import ZeroMQ

/// What a decoder has done, counted by one thread and read by another.
final class DecoderCounters: Sendable {
    private let samples = Atomic<Int>(0)
    private let failures = Atomic<Int>(0)
    private let pictures = Atomic<Int>(0)

    func addSample() { samples.add(1, ordering: .relaxed) }
    func addFailure() { failures.add(1, ordering: .relaxed) }
    func addPicture() { pictures.add(1, ordering: .relaxed) }

    var progress: DecoderProgress {
        var progress = DecoderProgress()
        progress.samples = samples.load(ordering: .relaxed)
        progress.failures = failures.load(ordering: .relaxed)
        progress.pictures = pictures.load(ordering: .relaxed)
        return progress
    }
}

/// Tells the batcher every second that a decoder lives and how far it is, from a thread and over a socket of its own: decoding one ticket
/// may take longer than the batcher's patience with silence.
final class Heartbeat {
    /// Milliseconds between heartbeats.
    private static let interval = 1000
    private let stopping = DispatchSemaphore(value: 0)
    private let stopped = DispatchSemaphore(value: 0)

    init(context: Context, endpoint: Endpoint, decoder: UInt64, counters: DecoderCounters) throws {
        let (stopping, stopped, interval) = (stopping, stopped, Self.interval)
        Thread.detachNewThread {
            defer { stopped.signal() }
            // Without heartbeats the batcher gives the decoder up, and it says hello again: nothing here needs to be reported.
            guard
                let socket = try? Socket(
                    .dealer, in: context,
                    options: .init(sendHighWaterMark: 1, receiveHighWaterMark: 1, linger: 0, maximumMessageBytes: Wire.largestRequest)),
                (try? socket.connect(to: endpoint.control)) != nil
            else { return }
            while stopping.wait(timeout: .now() + .milliseconds(interval)) == .timedOut {
                let request = DecoderRequest.heartbeat(decoder: decoder, progress: counters.progress)
                _ = try? socket.send(Message(request.bytes))
            }
        }
    }

    /// Ends the thread and waits for it.
    func stop() {
        stopping.signal()
        stopped.wait()
    }
}
