import Base
import Glibc
import Sampling
import ZeroMQ

/// A decoder: takes tickets, draws their samples, has the pictures read, and sends the samples. It keeps nothing between tickets.
public final class DecoderWorker {
    /// Reads the pictures that are requested of one video into memory.
    ///
    /// Called with the video, the requests, and the memory for each picture: packed RGB, row by row. A ``DataflowError`` means that this
    /// decoder can serve no ticket, and ends it; any other error says why the video cannot give its frames, and the batcher replaces the
    /// video.
    public typealias PictureReader = (
        _ record: VideoRecord, _ requests: [PictureRequest], _ destination: (Int) -> UnsafeMutableRawBufferPointer
    ) throws -> Void

    private let endpoint: Endpoint
    private let timeout: Double
    private let ticketLimit: Double
    private let videoExists: (String) throws -> Bool
    private let readPictures: PictureReader
    private let log: (String) -> Void
    private let context: Context
    private let control: Socket
    private let samples: Socket
    private let id: UInt64
    private let watch = Stopwatch()
    /// What the decoder has done, and whether it works on a ticket; may be read on any thread.
    public let counters = DecoderCounters()

    private var welcome: Welcome?
    private var tickets: [Ticket] = []
    private var received = 0
    private var nextAnnouncement = 0.0
    /// Whether the last announcement could be sent.
    private var isConnected = false
    private var silence = SilenceTimer()

    /// - Parameters:
    ///   - id: distinguishes this decoder from others. Two decoders of one id disturb each other, and the samples stay the same.
    ///   - timeout: seconds to wait for a batcher that is not there; 0 waits forever.
    ///   - ticketLimit: seconds of processor time after which a ticket whose reading does not end is failed, and this process ended.
    ///   - log: takes a line when there is something to wait for, and when a batcher takes this decoder.
    ///   - videoExists: whether a video of the manifest exists, whatever its state. A decoder that has none of the batcher's examples has
    ///     the wrong folder, and ends with an error.
    public init(
        endpoint: Endpoint, id: UInt64 = .random(in: .min ... .max), timeout: Double, ticketLimit: Double = 90,
        context: Context = Context(), log: @escaping (String) -> Void,
        videoExists: @escaping (String) throws -> Bool = { _ in true }, readPictures: @escaping PictureReader
    ) throws(ZeroMQError) {
        self.endpoint = endpoint
        self.id = id
        self.timeout = timeout
        self.ticketLimit = ticketLimit
        self.context = context
        self.log = log
        self.videoExists = videoExists
        self.readPictures = readPictures
        control = try Socket(
            .dealer, in: context,
            options: .init(sendHighWaterMark: 64, receiveHighWaterMark: 64, linger: 1000, maximumMessageBytes: Wire.maximumReplyBytes))
        samples = try Socket(
            .push, in: context,
            options: .init(sendHighWaterMark: 8, receiveHighWaterMark: 1, linger: 1000, maximumMessageBytes: Wire.maximumRequestBytes))
        try control.connect(to: endpoint.control)
        try samples.connect(to: endpoint.samples)
    }

    /// Works until told to stop, then finishes its ticket and says goodbye.
    ///
    /// - Throws: where the batcher is not there for too long, or speaks another version.
    public func run(until isStopped: () -> Bool) throws {
        let heartbeat = try Heartbeat(context: context, endpoint: endpoint, decoder: id, counters: counters, limit: ticketLimit)
        defer { heartbeat.stop() }
        var poller = Poller([control])
        while !isStopped() {
            while let message = try control.receive() { try handle(message) }
            if let ticket = tickets.first {
                try work(on: ticket, until: isStopped)
                // A welcome may have emptied the list during the work.
                if tickets.first == ticket { tickets.removeFirst() }
                try announce()
                continue
            }
            if watch.seconds >= nextAnnouncement { try announce() }
            let before = watch.seconds
            // Before a connection stands nothing comes, but it is to be used at once.
            _ = try isConnected ? poller.wait(milliseconds: 100)[0] : control.waitUntilSendable(milliseconds: 100)
            // Follows the connection of the socket for samples too, so that it stands before the first sample is made.
            _ = try samples.waitUntilSendable(milliseconds: 0)
            try pass(watch.seconds - before)
        }
        if welcome != nil { _ = try control.send(Message(DecoderRequest.goodbye(decoder: id).bytes)) }
    }

    private func pass(_ seconds: Double) throws(DataflowError) {
        let refusal = control.refusal
        if let line = silence.passed(seconds, endpoint: endpoint, refusal: refusal) { log(line) }
        if let failure = silence.failure(timeout: timeout, endpoint: endpoint, refusal: refusal) { throw failure }
    }

    /// Sends a hello, or how much room for tickets there is.
    private func announce() throws(ZeroMQError) {
        let request: DecoderRequest =
            if let welcome {
                // The batcher may have answered a `ready` from before the last welcome, and sent more tickets than there is room for.
                .ready(decoder: id, received: received, free: max(0, welcome.capacity - tickets.count), held: tickets.count)
            } else {
                .hello(decoder: id, host: machineName())
            }
        isConnected = try control.send(Message(request.bytes)) == .queued
        nextAnnouncement = watch.seconds + (isConnected ? 1 : 0)
    }

    private func handle(_ message: Message) throws {
        silence.heard()
        let reply: DecoderReply
        do { reply = try message.withBytes { try DecoderReply($0) } } catch {
            throw DataflowError("the batcher at \(endpoint) sent \(error)")
        }
        switch reply {
        case .welcome(let welcome):
            guard try welcome.examples.contains(where: videoExists) else {
                throw DataflowError(
                    "neither \(welcome.examples[0]) nor others of the manifest's videos are here: --media must name what was prepared")
            }
            if self.welcome == nil { log("joined the batcher at \(endpoint) as decoder \(id.hexadecimal)") }
            // The tickets of an earlier welcome are dropped: at the hello, the batcher gave them to other decoders.
            self.welcome = welcome
            tickets.removeAll()
            received = 0
            try announce()
        case .ticket(let ticket):
            received += 1
            tickets.append(ticket)
        case .idle: break
        case .unknownPeer:
            welcome = nil
            try announce()
        }
    }

    private func work(on ticket: Ticket, until isStopped: () -> Bool) throws {
        guard let welcome else { return }
        let messages: [Message]
        counters.begin(ticket)
        defer { counters.endTicket() }
        do {
            messages = try makeSamples(of: ticket, identity: welcome.identity)
        } catch let error as DataflowError {
            if isStopped() { return }
            throw error
        } catch {
            let kind = (error as? any CountedFailure)?.kind ?? "other failure"
            counters.addFailure(kind)
            // A decoder that has other videos than were prepared fails at nearly every ticket: only failures 1, 2, 4, 8 … are logged.
            let failures = counters.progress.failures
            if failures.nonzeroBitCount == 1 { log("failure \(failures) of a video: \(error)") }
            let failed = DecoderRequest.failed(
                decoder: id, ticket: ticket.ticket, attempt: ticket.attempt, kind: kind, reason: "\(error)")
            _ = try control.send(Message(failed.bytes))
            return
        }
        for message in messages {
            while try samples.send(message) != .queued {
                if isStopped() { return }
                let before = watch.seconds
                _ = try samples.waitUntilSendable(milliseconds: 100)
                if try control.receive().map(handle) == nil { try pass(watch.seconds - before) }
            }
            counters.addSample()
        }
    }

    private func message(byteCount: Int) throws(DataflowError) -> Message {
        do { return try Message(byteCount: byteCount) } catch {
            throw DataflowError(
                "this decoder has no memory for the samples of a ticket, of \(byteCount) bytes each: give it more (--memory)")
        }
    }

    private func makeSamples(of ticket: Ticket, identity: PlanIdentity) throws -> [Message] {
        let sampler = identity.sampler.value
        let layout = SampleLayout(sampler.arrays)
        let draws = (0..<sampler.repeatedSampling).map {
            Draw(seed: identity.seed, ticket: ticket.ticket, replica: $0, attempt: ticket.attempt, record: ticket.record)
        }
        try sampler.requireFrames(of: draws[0].record)
        var pictures: [(message: Int, place: PlacedPicture)] = []
        let messages = try draws.map { draw in
            let header = SampleHeader(
                fingerprint: identity.fingerprint, sample: draw.ticket * sampler.repeatedSampling + draw.replica, ticket: draw.ticket,
                replica: draw.replica, attempt: draw.attempt, video: ticket.video, path: draw.record.path,
                label: draw.record.label ?? "")
            let message = try message(byteCount: layout.byteCount(path: header.path, label: header.label))
            message.withMutableBytes { block in
                layout.write(header, to: block)
                pictures += sampler.draw(draw, into: SampleWriter(layout, block)).map { (draw.replica, $0) }
            }
            return message
        }
        try readPictures(ticket.record, pictures.map(\.place.request)) { index in
            counters.addPicture()
            let (message, place) = pictures[index]
            // The pointer outlives the closure, but not the messages, which are this function's result.
            return messages[message].withMutableBytes { SampleWriter(layout, $0).bytes(place) }
        }
        for (message, draw) in zip(messages, draws) {
            message.withMutableBytes { sampler.finish(SampleWriter(layout, $0), of: draw) }
        }
        return messages
    }
}

/// The name of this machine, for people.
private func machineName() -> String {
    var name = [CChar](repeating: 0, count: DecoderRequest.maximumHostBytes)
    guard gethostname(&name, name.count - 1) == 0 else { return "a machine without a name" }
    return name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
}
