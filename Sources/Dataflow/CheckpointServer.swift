import Sampling
import ZeroMQ

/// The trainer's side of evaluation: hands announced checkpoints to evaluators and takes their scores, between two training steps.
///
/// Never waits. Only the numbers of the waiting checkpoints are kept; their weights are read when an evaluator asks.
public final class CheckpointServer {
    /// What evaluators said since the last call of ``serve(now:)``.
    public enum Event: Equatable, Sendable {
        case scores(step: Int, [EvaluatorRequest.Score], pictures: [EvaluatorRequest.Picture])
        /// Something to tell the user: a checkpoint that could not be evaluated or read, a malformed message.
        case problem(String)
    }

    private let socket: Socket
    private let reservation: EndpointReservation?
    private let weights: (Int) throws -> (encoder: [UInt8], isQuick: Bool)
    private var queue: CheckpointQueue
    private var isFinished = false

    /// Listens for evaluators.
    /// - Parameters:
    ///   - patience: seconds after which a silent evaluator's checkpoint goes to another.
    ///   - weights: the encoder of a checkpoint as a safetensors file, and whether the quick score will do.
    public init(
        _ endpoint: Endpoint, in context: Context, patience: Double = 60,
        weights: @escaping (Int) throws -> (encoder: [UInt8], isQuick: Bool)
    ) throws {
        reservation = try endpoint.reserve(for: context)
        socket = try Socket(
            .router, in: context,
            options: .init(
                sendHighWaterMark: 8, receiveHighWaterMark: 64, linger: 1000, maximumMessageBytes: EvaluatorRequest.Picture.mostBytes))
        try socket.bind(to: endpoint.control)
        queue = CheckpointQueue(patience: patience)
        self.weights = weights
    }

    /// Steps whose checkpoints must not be removed yet.
    public var pending: Set<Int> { queue.pending }

    /// Offers a checkpoint.
    public func announce(_ step: Int) { queue.announce(step) }

    /// From now on evaluators are sent home once nothing is left to evaluate.
    public func finish() { isFinished = true }

    /// After ``finish()``, whether to go on serving: evaluators are at work, or not sent home yet.
    public func isWorthWaiting(now: Double) -> Bool { queue.isWorthWaiting(now: now) }

    /// Answers everything that has arrived.
    /// - Parameter now: seconds of a clock that never goes back.
    public func serve(now: Double) throws -> [Event] {
        var events: [Event] = []
        var requests: [(peer: Message, request: EvaluatorRequest, pictures: [Message])] = []
        while let parts = try socket.receiveParts(limit: 2 + EvaluatorRequest.mostPictures) {
            do {
                guard parts.count >= 2 else { throw MalformedBytes("a message without parts") }
                let request = try parts[1].withBytes { try EvaluatorRequest($0) }
                guard parts.count == 2 + request.pictureNames.count else {
                    throw MalformedBytes("\(request.pictureNames.count) pictures in \(parts.count - 2) parts")
                }
                requests.append((parts[0], request, Array(parts[2...])))
            } catch {
                events.append(.problem("an evaluator sent what cannot be read: \(error)"))
            }
        }
        for (index, (peer, request, pictures)) in requests.enumerated() {
            // Whoever asked several times during a long step is answered once, for an answer may be a gigabyte.
            if case .next = request, requests[(index + 1)...].contains(where: { $0.request == request }) { continue }
            try answer(request, pictures, to: peer, now: now, &events)
        }
        return events
    }

    private func answer(
        _ request: EvaluatorRequest, _ pictures: [Message], to peer: Message, now: Double, _ events: inout [Event]
    ) throws {
        switch request {
        case .next(let evaluator):
            guard let step = queue.next(for: evaluator, now: now) else {
                if isFinished { queue.dismiss(evaluator) }
                return try send(isFinished ? .finished : .nothing, to: peer)
            }
            do {
                let (encoder, isQuick) = try weights(step)
                try send(.checkpoint(step: step, isQuick: isQuick), Message(encoder), to: peer)
            } catch let failure as ZeroMQError {
                throw failure
            } catch {
                _ = queue.complete(step)
                events.append(.problem("the checkpoint of step \(step) stays without scores: \(error)"))
                try send(.nothing, to: peer)
            }
        case .working(let evaluator, let step):
            queue.working(evaluator, on: step, now: now)
        case .scores(_, let step, let scores, let names):
            if queue.complete(step) {
                let shown = zip(names, pictures).map { EvaluatorRequest.Picture(name: $0, png: $1.copy) }
                events.append(.scores(step: step, scores, pictures: shown))
            }
            try send(.noted(step: step), to: peer)
        case .failed(let evaluator, let step, let reason):
            if let isGivenUp = queue.fail(evaluator, at: step) {
                let outlook = isGivenUp ? "it stays without scores" : "it waits for another evaluator"
                events.append(.problem("an evaluator failed at the checkpoint of step \(step), \(outlook): \(reason)"))
            }
            try send(.noted(step: step), to: peer)
        }
    }

    /// A reply that cannot be delivered is dropped: the evaluator asks again.
    private func send(_ reply: EvaluatorReply, _ attachment: Message? = nil, to peer: Message) throws {
        _ = try socket.send(parts: [peer, Message(reply.bytes)] + (attachment.map { [$0] } ?? []))
    }
}
