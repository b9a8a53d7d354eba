import Base
import Sampling
import ZeroMQ

/// An evaluator's side of evaluation: asks a trainer for checkpoints and sends it their scores. Survives lost connections and restarts of
/// the trainer.
public final class CheckpointClient {
    /// What a trainer has for an evaluator.
    public enum Offer {
        /// The encoder of a checkpoint as a safetensors file, and whether the quick score will do.
        case checkpoint(step: Int, weights: [UInt8], isQuick: Bool)
        /// Nothing waits at the moment.
        case nothing
        /// The run is over.
        case finished
        /// The trainer is connected, but gave no answer in time: it is in the middle of a step.
        case silence
        /// No trainer listens at the endpoint.
        case absence
    }

    private let socket: Socket
    private let identity: UInt64

    /// Why the trainer does not let this evaluator in, and what to do; nil where nothing is known of that.
    public var refusal: String? { socket.refusal }

    /// Bytes of a reply, at most: above the encoder of a ViT-g.
    private static let maximumReplyBytes = 8 << 30

    /// - Parameter identity: distinguishes this evaluator from others; random.
    public init(_ endpoint: Endpoint, in context: Context, identity: UInt64) throws(ZeroMQError) {
        socket = try Socket(
            .dealer, in: context,
            options: .init(sendHighWaterMark: 8, receiveHighWaterMark: 8, linger: 1000, maximumMessageBytes: Self.maximumReplyBytes))
        try socket.connect(to: endpoint.control)
        self.identity = identity
    }

    /// Whether a trainer listens at the endpoint. A trainer in the middle of a long step listens, though it does not answer.
    public func isTrainerThere(within seconds: Double) throws -> Bool {
        try socket.waitUntilSendable(milliseconds: Int(seconds * 1000))
    }

    /// Asks for a checkpoint and waits for the answer, `seconds` at most.
    public func next(seconds: Double) throws -> Offer {
        guard try isTrainerThere(within: seconds) else { return .absence }
        return try exchange(.next(evaluator: identity), seconds: seconds) { reply, attachment in
            switch reply {
            case .checkpoint(let step, let isQuick): attachment.map { .checkpoint(step: step, weights: $0.copy, isQuick: isQuick) }
            case .nothing: .nothing
            case .finished: .finished
            case .noted: nil
            }
        } ?? .silence
    }

    /// Tells the trainer that work on a checkpoint goes on. Waits for nothing and is not answered.
    public func working(on step: Int) throws {
        _ = try socket.send(Message(EvaluatorRequest.working(evaluator: identity, step: step).bytes))
    }

    /// Sends a checkpoint's scores and pictures.
    /// - Returns: whether the trainer noted them in time.
    public func send(
        _ scores: [EvaluatorRequest.Score], pictures: [EvaluatorRequest.Picture] = [], step: Int, seconds: Double
    ) throws -> Bool {
        let request = EvaluatorRequest.scores(evaluator: identity, step: step, scores, pictures: pictures.map(\.name))
        return try note(request, pictures.map { Message($0.bytes) }, step, seconds)
    }

    /// Reports that a checkpoint cannot be evaluated, and why.
    /// - Returns: whether the trainer noted it in time.
    public func send(failure reason: String, step: Int, seconds: Double) throws -> Bool {
        try note(.failed(evaluator: identity, step: step, reason: reason), [], step, seconds)
    }

    private func note(_ request: EvaluatorRequest, _ attachments: [Message], _ step: Int, _ seconds: Double) throws -> Bool {
        try exchange(request, attachments, seconds: seconds) { reply, _ in reply == .noted(step: step) ? true : nil } ?? false
    }

    /// Sends a request and waits for the reply that `accept` takes; replies to earlier requests are passed over.
    private func exchange<Value>(
        _ request: EvaluatorRequest, _ attachments: [Message] = [], seconds: Double, _ accept: (EvaluatorReply, Message?) -> Value?
    ) throws -> Value? {
        while try socket.receiveParts(limit: 2) != nil {}
        guard try isTrainerThere(within: seconds),
            try socket.send(parts: [Message(request.bytes)] + attachments) == .queued
        else { return nil }
        var poller = Poller([socket])
        let watch = Stopwatch()
        while watch.seconds < seconds {
            guard try poller.wait(milliseconds: max(1, Int((seconds - watch.seconds) * 1000)))[0] else { continue }
            guard let parts = try socket.receiveParts(limit: 2) else { continue }
            if let value = accept(try parts[0].withBytes { try EvaluatorReply($0) }, parts.count > 1 ? parts[1] : nil) { return value }
        }
        return nil
    }
}
