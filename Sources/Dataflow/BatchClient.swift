import Base
import Sampling
import ZeroMQ

/// The trainer's end of the dataflow: requests samples ahead of time, within a credit of bytes, and hands them out in order.
///
/// Where messages, the connection or the batcher are lost, it requests the missing samples again.
public final class BatchClient {
    private let endpoint: Endpoint
    private let identity: PlanIdentity
    private let fingerprint: UInt64
    private let layout: SampleLayout
    private let credit: Int
    private let timeout: Double
    private let log: (String) -> Void
    private let socket: Socket
    private let trainer: TrainerRank
    private let watch = Stopwatch()

    private var isOpen = false
    private var wasOpen = false
    private var sampleByteCount: Int
    /// Requests in the order in which they were made; the first `sent` of them were sent to the batcher.
    private var requests: [Range<Int>] = []
    private var sent = 0
    private var arrived: [Int: Batch] = [:]
    /// This trainer has no use for a sample before it.
    private var received = 0
    private var nextAnnouncement = 0.0
    /// Whether the last announcement could be sent.
    private var isConnected = false
    private var silence = SilenceTimer()

    /// Seconds spent waiting in ``next(isCancelled:)``, without the wait for the first batch, in which all processes start.
    public private(set) var waitedSeconds = 0.0
    /// Decoders at work, by the batcher's last status.
    public private(set) var decoderCount = 0
    /// The failed visits that the batcher listed when it ended the run because too many failed: those of samples that were not handed out,
    /// and perhaps others.
    public private(set) var replacedAtTheEnd: [Replacement] = []
    private var hasBegun = false

    /// - Parameters:
    ///   - trainer: which of the run's trainers this is.
    ///   - identity: the plan that this trainer's run follows; a batcher with another one refuses to serve it.
    ///   - credit: bytes of samples that may be under way; at least one request always is.
    ///   - timeout: seconds to wait for a batcher that is not there, or that has no decoders; 0 waits forever.
    ///   - log: takes a line when there is something to wait for.
    public init(
        endpoint: Endpoint, trainer: TrainerRank = TrainerRank(), identity: PlanIdentity, credit: Int, timeout: Double,
        context: Context = Context(),
        log: @escaping (String) -> Void
    ) throws(ZeroMQError) {
        self.endpoint = endpoint
        self.trainer = trainer
        self.identity = identity
        self.credit = credit
        self.timeout = timeout
        self.log = log
        fingerprint = identity.fingerprint
        layout = SampleLayout(identity.sampler.value.arrays)
        sampleByteCount = layout.byteCount(pathByteCount: 0)
        // The credit bounds the bytes of batches under way; the high-water mark is only a guard against a flood.
        socket = try Socket(
            .dealer, in: context,
            options: .init(
                sendHighWaterMark: 4096, receiveHighWaterMark: 4096, linger: 1000,
                maximumMessageBytes: max(Wire.maximumReplyBytes, layout.byteCount(pathByteCount: SampleLayout.maximumPathBytes))))
        try socket.connect(to: endpoint.batches)
    }

    /// Asks for samples `first` to `first + count - 1`, to be handed out as one batch after those asked for before.
    public func request(first: Int, count: Int) throws {
        precondition(first >= 0 && count > 0)
        if requests.isEmpty { received = first }
        requests.append(first..<first + count)
        _ = try sendRequests()
    }

    /// Batches asked for and not yet handed out.
    public var requestCount: Int { requests.count }

    /// Waits for the next batch that was asked for.
    ///
    /// - Parameter isCancelled: asked at least once, and ten times a second while there is nothing; true ends the wait.
    /// - Returns: nil where the wait was cancelled.
    /// - Throws: where the batcher refuses, does not answer within the timeout, or sends something else than was requested.
    public func next(isCancelled: () -> Bool = { false }) throws -> Batch? {
        precondition(!requests.isEmpty, "next() before any request")
        let (start, counts) = (watch.seconds, hasBegun)
        defer { if counts { waitedSeconds += watch.seconds - start } }
        var poller = Poller([socket])
        silence = SilenceTimer()
        while true {
            // Asked before each batch, so that a trainer that never waits can be cancelled too.
            if isCancelled() { return nil }
            try attend()
            if let batch = arrived.removeValue(forKey: requests[0].lowerBound) {
                hasBegun = true
                received = requests.removeFirst().upperBound
                if let next = requests.first { received = next.lowerBound }
                sent -= 1
                // A request carries the acknowledgement of this batch. Where none can be sent, a ping carries it: the batcher may need room
                // in its window.
                if try !sendRequests(), sent > 0 { try send(ping) }
                return batch
            }
            let before = watch.seconds
            // Before a connection stands nothing comes, but it is to be used at once.
            _ = try isConnected ? poller.wait(milliseconds: 100)[0] : socket.waitUntilSendable(milliseconds: 100)
            let refusal = socket.refusal
            if let line = silence.passed(watch.seconds - before, endpoint: endpoint, refusal: refusal) { log(line) }
            if let failure = silence.failure(timeout: timeout, endpoint: endpoint, refusal: refusal) { throw failure }
        }
    }

    /// Takes what has come and says what is due, without waiting: for a trainer that waits for other ranks. A batcher that was started again
    /// serves none of them before all have come back.
    public func attend() throws {
        if watch.seconds >= nextAnnouncement { try announce() }
        while let parts = try socket.receiveParts(limit: 1 << 20) { try handle(parts) }
    }

    /// Tells the batcher that nothing more is needed.
    public func close() throws(ZeroMQError) {
        if isOpen { _ = try socket.send(Message(TrainerRequest.goodbye(trainer: trainer).bytes)) }
        isOpen = false
    }

    // MARK: Messages

    private func announce() throws(ZeroMQError) {
        let request: TrainerRequest =
            isOpen ? ping : .open(trainer: trainer, identity: identity, received: received, isReturning: wasOpen)
        isConnected = try send(request)
        nextAnnouncement = watch.seconds + (isConnected ? 1 : 0)
    }

    private var ping: TrainerRequest {
        .ping(trainer: trainer, received: received, asked: requests[..<sent].last?.upperBound ?? received)
    }

    /// Sends a message if that is possible, and returns whether it was. A request that was not sent is missing in the batcher's next
    /// status, and is sent again then.
    @discardableResult
    private func send(_ request: TrainerRequest) throws(ZeroMQError) -> Bool {
        try socket.send(Message(request.bytes)) == .queued
    }

    /// Sends the requests that the credit allows; returns whether there were any.
    private func sendRequests() throws(ZeroMQError) -> Bool {
        guard isOpen else { return false }
        let before = sent
        var bytes = requests[..<sent].reduce(0) { $0 + $1.count * sampleByteCount }
        while sent < requests.count, sent == 0 || bytes + requests[sent].count * sampleByteCount <= credit {
            bytes += requests[sent].count * sampleByteCount
            try send(requests[sent])
            sent += 1
        }
        return sent > before
    }

    private func send(_ samples: Range<Int>) throws(ZeroMQError) {
        try send(.samples(trainer: trainer, first: samples.lowerBound, count: samples.count, received: received))
    }

    private func handle(_ parts: [Message]) throws {
        silence.heard()
        let reply: TrainerReply
        do { reply = try parts[0].withBytes { bytes throws(MalformedBytes) in try TrainerReply(bytes) } } catch {
            throw DataflowError("the batcher at \(endpoint) sent \(error)")
        }
        switch reply {
        case .accepted(let sampleByteCount):
            self.sampleByteCount = sampleByteCount
            isOpen = true
            wasOpen = true
            sent = 0
            _ = try sendRequests()
        case .batch(let first, let count, let replaced):
            try take(first: first, count: count, replaced: replaced, messages: Array(parts.dropFirst()))
        case .status(let decoders, let asked, let pending):
            silence.decoders(decoders)
            decoderCount = decoders
            let lost = requests[..<sent].filter {
                $0.upperBound <= asked && arrived[$0.lowerBound] == nil && !pending.contains(Int64($0.lowerBound))
            }
            for request in lost { try send(request) }
        case .unknownPeer: isOpen = false
        // Only those ask for it who have none.
        case .plan: break
        case .refused(let reason, let replaced):
            replacedAtTheEnd = replaced
            throw DataflowError(reason)
        }
    }

    private func take(first: Int, count: Int, replaced: [Replacement], messages: [Message]) throws {
        // A second copy of a batch, or a batch that no open request asks for, is dropped.
        guard let request = requests[..<sent].first(where: { $0.lowerBound == first }), arrived[first] == nil else { return }
        guard request.count == count, messages.count == count else {
            throw DataflowError("the batcher at \(endpoint) sent \(messages.count) samples where \(request.count) were asked for")
        }
        let batch: Batch
        do { batch = try Batch(first: first, replaced: replaced, messages: messages) } catch {
            throw DataflowError("the batcher at \(endpoint) sent \(error)")
        }
        try batch.withSamples { samples in
            for (offset, sample) in samples.enumerated() {
                guard sample.header.sample == first + offset, sample.header.fingerprint == fingerprint, sample.matches(layout) else {
                    throw DataflowError("the batcher at \(endpoint) sent sample \(sample.header.sample) in the place of \(first + offset)")
                }
            }
        }
        guard batch.isListOfReplacedWhole(replicas: identity.sampler.value.repeatedSampling) else {
            throw DataflowError("the batcher at \(endpoint) sent samples from \(first) with a list of replaced videos that is not theirs")
        }
        arrived[first] = batch
    }
}
