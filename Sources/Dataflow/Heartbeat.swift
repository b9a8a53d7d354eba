import Base
import Dispatch
import Foundation
import Sampling
import Synchronization
import ZeroMQ

/// What a decoder has done and is doing: written by one thread, read by others.
public final class DecoderCounters: Sendable {
    private let samples = Atomic<Int>(0)
    private let failures = Atomic<Int>(0)
    // A lock, because a table does not fit in an atomic; taken only for failures and reports.
    private let kinds = Mutex<[String: Int]>([:])
    private let pictures = Atomic<Int>(0)
    private let ticket = Atomic<Int>(-1)
    private let attempt = Atomic<Int>(0)
    private let begin = Atomic<Double>(0)

    func addSample() { samples.add(1, ordering: .relaxed) }

    func addFailure(_ kind: String) {
        failures.add(1, ordering: .relaxed)
        kinds.withLock { $0[kind, default: 0] += 1 }
    }

    func addPicture() { pictures.add(1, ordering: .relaxed) }

    func begin(_ ticket: Ticket) {
        attempt.store(ticket.attempt, ordering: .relaxed)
        begin.store(processorSeconds(), ordering: .relaxed)
        self.ticket.store(ticket.ticket, ordering: .releasing)
    }

    /// Failures by their kind.
    public var failuresByKind: [String: Int] { kinds.withLock { $0 } }

    /// Whether a ticket is in work.
    public var isWorking: Bool { ticket.load(ordering: .relaxed) >= 0 }

    func endTicket() { ticket.store(-1, ordering: .relaxed) }

    /// The ticket in work and the processor time it has taken, nil between tickets.
    var work: (ticket: Int, attempt: Int, seconds: Double)? {
        let ticket = ticket.load(ordering: .acquiring)
        guard ticket >= 0 else { return nil }
        return (ticket, attempt.load(ordering: .relaxed), processorSeconds() - begin.load(ordering: .relaxed))
    }

    /// The counts as they stand.
    public var progress: DecoderProgress {
        var progress = DecoderProgress()
        progress.samples = samples.load(ordering: .relaxed)
        progress.failures = failures.load(ordering: .relaxed)
        progress.pictures = pictures.load(ordering: .relaxed)
        return progress
    }
}

/// Sends the batcher two heartbeats a second with a decoder's progress, from a thread and over a socket of its own: decoding one ticket may
/// take longer than the silence after which the batcher issues the decoder's tickets to others.
///
/// It also ends a decoder that cannot go on: where the decoder crashes, or does not return from a library that checks no deadline, this
/// thread reports the ticket as failed, gives the others back and ends the process.
final class Heartbeat {
    /// Milliseconds between looks at the decoder, and looks between heartbeats.
    private static let interval = 100
    private static let looks = 5
    /// Milliseconds in which the last messages are sent before the process ends.
    private static let lastWord: UInt32 = 300

    private let stopping = DispatchSemaphore(value: 0)
    private let stopped = DispatchSemaphore(value: 0)

    /// - Parameter limit: seconds of processor time that a ticket may take.
    init(context: Context, endpoint: Endpoint, decoder: UInt64, counters: DecoderCounters, limit: Double) throws {
        let (stopping, stopped) = (stopping, stopped)
        Thread.detachNewThread {
            defer { stopped.signal() }
            // Without heartbeats the batcher gives the decoder up, and the decoder says hello again: no error needs to be reported here.
            guard
                let socket = try? Socket(
                    .dealer, in: context,
                    options: .init(sendHighWaterMark: 4, receiveHighWaterMark: 1, linger: 0, maximumMessageBytes: Wire.maximumRequestBytes)),
                (try? socket.connect(to: endpoint.control)) != nil
            else { return }
            func send(_ request: DecoderRequest) -> Bool { (try? socket.send(Message(request.bytes))) == .queued }
            var look = 0
            while stopping.wait(timeout: .now() + .milliseconds(Self.interval)) == .timedOut {
                if let work = counters.work, let reason = Self.end(of: work.seconds, limit: limit) {
                    let isTold =
                        send(.failed(decoder: decoder, ticket: work.ticket, attempt: work.attempt, kind: "decoder lost", reason: reason))
                        && send(.goodbye(decoder: decoder))
                    // `Crash.exitCode` tells the supervisor that the batcher was told of the crash. Where it was not, the process ends by
                    // SIGKILL.
                    guard isTold else { return _ = kill(getpid(), SIGKILL) }
                    usleep(Self.lastWord * 1000)
                    _exit(Crash.exitCode)
                }
                look += 1
                if look % Self.looks == 0 { _ = send(.heartbeat(decoder: decoder, progress: counters.progress)) }
            }
        }
    }

    /// Why the ticket in work cannot be finished; nil as long as it may be.
    private static func end(of seconds: Double, limit: Double) -> String? {
        if let signal = Crash.signal { return "it crashes its decoder, signal \(signal)" }
        return seconds > limit ? "its decoder is lost in it after \(Int(seconds)) s of processor time" : nil
    }

    /// Ends the thread and waits for it.
    func stop() {
        stopping.signal()
        stopped.wait()
    }
}
