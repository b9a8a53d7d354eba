import Base
import Sampling
import ZeroMQ

/// The trainer's side of evaluation: hands announced checkpoints to evaluators and takes their scores, between two training steps.
///
/// Never waits, and takes a bounded part of the training's time and memory, however much evaluators send. Only the numbers of the waiting
/// checkpoints are kept; their weights are read when an evaluator asks.
public final class CheckpointServer {
    /// What evaluators sent since the last call of ``serve(now:)``.
    public enum Event: Equatable, Sendable {
        /// A checkpoint was evaluated: its scores, and the pictures that came with them.
        case scores(step: Int, [EvaluatorRequest.Score], pictures: [EvaluatorRequest.Picture])
        /// Something to tell the user: a checkpoint that could not be evaluated or read, a malformed message.
        case problem(String)
    }

    /// Message parts, and their bytes, that are received in one call of ``serve(now:)``; the rest waits for the next call.
    private static let turn = (parts: 256, bytes: 32 << 20)
    /// The sender's route, the request, its pictures.
    private static let maximumParts = 2 + EvaluatorRequest.maximumPictures
    /// Checkpoints that libzmq may hold for evaluators that have not taken them yet.
    private static let maximumUnsentCheckpoints = 4
    /// Seconds of rest for each second of making weights, so that these take a tenth of the trainer's time at most: 1 of 1 + 9 seconds.
    private static let restAfterWeights = 9.0

    private let socket: Socket
    private let reservation: EndpointReservation?
    private let weights: (Int) throws -> (encoder: [UInt8], isQuick: Bool)
    private var queue: CheckpointQueue
    private var isFinished = false
    /// The parts received so far of a message; the next call of ``serve(now:)`` may receive the rest.
    private var arriving: [Message] = []
    /// Evaluators that wait for an answer to ``EvaluatorRequest/next(evaluator:)``, in the order in which they asked.
    private var asking: [(evaluator: UInt64, peer: Message)] = []
    private let unsent = UnsentBytes()
    /// Bytes of the weights that were made last.
    private var weightByteCount = 0
    private var mayMakeWeightsAt = 0.0
    private let watch = Stopwatch()
    /// Messages that were dropped.
    private var dropped = 0
    private var events: [Event] = []

    /// Listens for evaluators.
    /// - Parameters:
    ///   - timeout: seconds after which a silent evaluator's checkpoint goes to another.
    ///   - weights: the encoder of a checkpoint as a safetensors file, and whether the quick score will do.
    public init(
        _ endpoint: Endpoint, in context: Context, timeout: Double = 60,
        weights: @escaping (Int) throws -> (encoder: [UInt8], isQuick: Bool)
    ) throws {
        reservation = try endpoint.reserve(for: context)
        // libzmq holds one waiting message of each peer, and one on its way; further messages stay with their senders.
        socket = try Socket(
            .router, in: context,
            options: .init(
                sendHighWaterMark: 2, receiveHighWaterMark: 1, linger: 1000, maximumMessageBytes: EvaluatorRequest.Picture.maximumBytes))
        try socket.bind(to: endpoint.control)
        queue = CheckpointQueue(timeout: timeout)
        self.weights = weights
    }

    /// Steps whose checkpoints must not be removed yet.
    public var pending: Set<Int> { queue.pending }

    /// Offers a checkpoint.
    public func announce(_ step: Int) { queue.announce(step) }

    /// Steps whose checkpoints wait and are leased to no evaluator, ascending.
    public var waiting: [Int] { queue.waiting }

    /// Gives a checkpoint up: it stays without scores.
    public func giveUp(_ step: Int) { queue.giveUp(step) }

    /// From now on evaluators are told that the run is over once nothing is left to evaluate.
    public func finish() { isFinished = true }

    /// Whether to go on serving after ``finish()``: evaluators are at work, or were not yet told that the run is over.
    public func isWorthWaiting(now: Double) -> Bool { queue.isWorthWaiting(now: now) }

    /// Receives a bounded number of messages and answers them.
    /// - Parameter now: seconds of a clock that never goes back.
    public func serve(now: Double) throws -> [Event] {
        defer { events = [] }
        var (parts, bytes) = (0, 0)
        while parts < Self.turn.parts, bytes < Self.turn.bytes, let part = try socket.receive() {
            (parts, bytes) = (parts + 1, bytes + part.byteCount)
            // One part above the limit is kept, so that `take` sees that there were too many.
            if arriving.count <= Self.maximumParts { arriving.append(part) }
            guard !part.hasMore else { continue }
            defer { arriving = [] }
            do {
                try take(arriving, now: now)
            } catch let error as MalformedBytes {
                drop("an evaluator sent what cannot be read: \(error)")
            }
        }
        // Leases are given out after all messages were read, so that an evaluator that still works keeps its checkpoint.
        try answerAsking(now: now)
        return events
    }

    private func take(_ parts: [Message], now: Double) throws {
        guard parts.count >= 2 else { throw MalformedBytes("a message without parts") }
        let peer = parts[0]
        let request = try parts[1].withBytes { try EvaluatorRequest($0) }
        guard parts.count == 2 + request.pictureNames.count else {
            throw MalformedBytes("\(request.pictureNames.count) pictures in \(parts.count - 2) parts")
        }
        switch request {
        case .next(let evaluator):
            // An evaluator that asked several times during a long training step is answered once, because an answer may be a gigabyte.
            asking.removeAll { $0.evaluator == evaluator }
            if queue.hear(evaluator, now: now) { asking.append((evaluator, peer)) }
        case .working(let evaluator, let step):
            // An evaluator that works has received its checkpoint: its earlier requests need no answer.
            asking.removeAll { $0.evaluator == evaluator }
            queue.working(evaluator, on: step, now: now)
        case .scores(let evaluator, let step, let scores, _) where scores.isEmpty:
            failed(evaluator, at: step, "it brought no scores", now: now)
            try send(.noted(step: step), to: peer)
        case .scores(_, let step, let scores, let names):
            if queue.complete(step) {
                let shown = zip(names, parts[2...]).map { EvaluatorRequest.Picture(name: $0, bytes: $1.copy) }
                events.append(.scores(step: step, scores, pictures: shown))
            } else if !queue.isKnown(step) {
                drop("an evaluator sent scores of step \(step), which is no step that this training has offered for evaluation")
            }
            try send(.noted(step: step), to: peer)
        case .failed(let evaluator, let step, let reason):
            failed(evaluator, at: step, reason, now: now)
            try send(.noted(step: step), to: peer)
        }
    }

    private func failed(_ evaluator: UInt64, at step: Int, _ reason: String, now: Double) {
        guard let isGivenUp = queue.fail(evaluator, at: step, now: now) else { return }
        tell("an evaluator failed at the checkpoint of step \(step), \(outlook(isGivenUp: isGivenUp)): \(reason)")
    }

    private func outlook(isGivenUp: Bool) -> String { isGivenUp ? "it stays without scores" : "it waits for another try" }

    private func tell(_ problem: String) { events.append(.problem(problem)) }

    /// Reports the 1st, 2nd, 4th, 8th … message that was dropped, so that a flood of them gives few lines.
    private func drop(_ problem: String) {
        dropped += 1
        guard dropped.nonzeroBitCount == 1 else { return }
        tell(dropped > 2 ? "\(problem) (\(dropped) messages of evaluators were dropped so far)" : problem)
    }

    /// Answers the evaluators that asked, as far as time and memory for weights allow.
    private func answerAsking(now: Double) throws {
        while !asking.isEmpty, watch.seconds >= mayMakeWeightsAt, unsent.count <= Self.maximumUnsentCheckpoints * weightByteCount {
            let (evaluator, peer) = asking.removeFirst()
            if let step = queue.next(for: evaluator, now: now) {
                try offer(step, to: evaluator, peer, now: now)
            } else {
                // A checkpoint that another evaluator works on, or failed to score, may still be leased to this one.
                let isOver = isFinished && queue.pending.isEmpty
                if isOver { queue.dismiss(evaluator) }
                try send(isOver ? .finished : .nothing, to: peer)
            }
        }
        for (step, isGivenUp) in queue.takeSilences() {
            tell("the evaluator that had the checkpoint of step \(step) fell silent, \(outlook(isGivenUp: isGivenUp))")
        }
    }

    private func offer(_ step: Int, to evaluator: UInt64, _ peer: Message, now: Double) throws {
        let start = watch.seconds
        do {
            let (encoder, isQuick) = try weights(step)
            weightByteCount = encoder.count
            try send(.checkpoint(step: step, isQuick: isQuick), Message(encoder).counted(by: unsent), to: peer)
        } catch let failure as ZeroMQError {
            throw failure
        } catch {
            let isGivenUp = queue.fail(evaluator, at: step, now: now) ?? false
            tell("the checkpoint of step \(step) cannot be read, \(outlook(isGivenUp: isGivenUp)): \(error)")
            try send(.nothing, to: peer)
        }
        mayMakeWeightsAt = watch.seconds + Self.restAfterWeights * (watch.seconds - start)
    }

    /// A reply that cannot be delivered is dropped: the evaluator asks again.
    private func send(_ reply: EvaluatorReply, _ attachment: Message? = nil, to peer: Message) throws {
        _ = try socket.send(parts: [peer, Message(reply.bytes)] + (attachment.map { [$0] } ?? []))
    }
}
