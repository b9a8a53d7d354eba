import Dataflow
import ZeroMQ

/// Passes on what one decoder and the batcher say to each other, and remembers the decoder's last messages.
final class Tap {
    private let frontControl: Socket
    private let frontSamples: Socket
    private let backControl: Socket
    private let backSamples: Socket
    private var poller: Poller
    private var route: [UInt8] = []
    private var waiting: Message?
    private(set) var requests: [[UInt8]] = []
    private(set) var samples: [[UInt8]] = []
    private var count = 0

    private static let most = 256
    /// Type of a heartbeat, which comes over a connection of its own that hears no replies.
    private static let heartbeat: UInt8 = 3

    /// - Parameters:
    ///   - front: where the decoder connects.
    ///   - back: the batcher.
    init(front: Endpoint, back: Endpoint, context: Context) throws {
        func options(_ bytes: Int) -> Socket.Options {
            .init(sendHighWaterMark: 16, receiveHighWaterMark: 16, linger: 0, maximumMessageBytes: bytes)
        }
        frontControl = try Socket(.router, in: context, options: options(64 << 10))
        frontSamples = try Socket(.pull, in: context, options: options(1 << 20))
        backControl = try Socket(.dealer, in: context, options: options(64 << 20))
        backSamples = try Socket(.push, in: context, options: options(64 << 10))
        try frontControl.bind(to: front.control)
        try frontSamples.bind(to: front.samples)
        try backControl.connect(to: back.control)
        try backSamples.connect(to: back.samples)
        poller = Poller([frontControl, backControl, frontSamples])
    }

    /// Passes on what is there, waiting so long for the first.
    func pass(milliseconds: Int) throws {
        _ = try poller.wait(milliseconds: milliseconds)
        while let parts = try frontControl.receiveParts(limit: 2) {
            let bytes = parts[1].copy
            if bytes.count > 6, bytes[6] != Self.heartbeat { route = parts[0].copy }
            remember(bytes, in: &requests)
            _ = try backControl.send(parts[1])
        }
        while let reply = try backControl.receive() { _ = try frontControl.send(parts: [Message(route), reply]) }
        // A sample that the batcher has no room for waits, and others behind it with the decoder.
        while let sample = try waiting ?? frontSamples.receive() {
            waiting = nil
            let bytes = sample.copy
            guard try backSamples.send(sample) == .queued else { return waiting = sample }
            remember(bytes, in: &samples)
        }
    }

    private func remember(_ bytes: [UInt8], in list: inout [[UInt8]]) {
        count += 1
        if list.count < Self.most { list.append(bytes) } else { list[count % Self.most] = bytes }
    }
}
