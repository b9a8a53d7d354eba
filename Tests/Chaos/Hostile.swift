import Base
import Console
import Dataflow
import Foundation
import Sampling
import TestSupport
import ZeroMQ

/// A client that does not mean well, with access to the batcher's three sockets.
///
/// It also sits between one decoder and the batcher, so that it has real messages to repeat and to damage. What it leaves out: a sample
/// with other pixels that is due, and the word of a trainer or decoder that lies about itself. These are what a key is there to prevent.
final class Hostile {
    private enum Door: CaseIterable { case control, samples, batches }

    private let endpoint: Endpoint
    private let context: Context
    private let tally: String
    private let tap: Tap
    private var random: SplitMix64
    private var sockets: [Door: Socket] = [:]
    private var counts: [String: Int] = [:]
    private var held: [Int32] = []

    init(endpoint: String, tap: String, keys: String?, seed: UInt64, tally: String) throws {
        self.endpoint = try Endpoint(endpoint)
        self.tally = tally
        context = try Context(keys: keys, connecting: self.endpoint, log: { writeError("\($0)\n") })
        self.tap = try Tap(front: Endpoint(tap), back: self.endpoint, context: context)
        random = SplitMix64(seed: seed)
    }

    /// Sends so many messages a second until it is told to stop.
    func run(rate: Int) throws {
        Interruption.catchSignals()
        let begin = monotonicSeconds()
        var (sent, told) = (0, begin)
        while !Interruption.isRequested {
            try tap.pass(milliseconds: 5)
            let now = monotonicSeconds()
            // After a pause it does not make up for what it missed.
            for _ in 0..<min(Int((now - begin) * Double(rate)) - sent, 1 + rate / 20) { try sendOne() }
            sent = Int((now - begin) * Double(rate))
            if now - told >= 1 {
                told = now
                try writeTally()
            }
        }
        try writeTally()
    }

    private func writeTally() throws {
        let lines = counts.sorted { $0.key < $1.key }.map { "\($0.value)\t\($0.key)\n" }
        try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: tally), options: .atomic)
    }

    private func sendOne() throws {
        if Int.random(in: 0..<500, using: &random) == 0 { return connectWithoutSpeaking() }
        let door = Door.allCases.randomElement(using: &random)!
        guard let good = goodMessage(for: door) else { return }
        let damage = Damage.allCases.randomElement(using: &random)!
        let parts = damage.parts(of: good, isSample: door == .samples, using: &random)
        let socket = try sockets[door] ?? connect(door)
        sockets[door] = socket
        guard try socket.waitUntilSendable(milliseconds: 20), try socket.send(parts: parts.map { Message($0) }) == .queued else {
            // Thrown out for an oversized message, or the batcher is away: a new connection is quicker than to be taken back.
            sockets[door] = nil
            return
        }
        counts["\(damage.rawValue), to \(door)", default: 0] += 1
        if door != .samples { while try socket.receive() != nil {} }
    }

    private func connect(_ door: Door) throws -> Socket {
        let options = Socket.Options(sendHighWaterMark: 64, receiveHighWaterMark: 64, linger: 0, maximumMessageBytes: 1 << 20)
        let socket = try Socket(door == .samples ? .push : .dealer, in: context, options: options)
        try socket.connect(to: door == .control ? endpoint.control : door == .samples ? endpoint.samples : endpoint.batches)
        return socket
    }

    /// A message that its receiver would take: overheard, or of the kind that somebody else's run would send.
    private func goodMessage(for door: Door) -> [UInt8]? {
        switch door {
        case .control: return tap.requests.randomElement(using: &random)
        case .samples: return tap.samples.randomElement(using: &random)
        case .batches:
            let trainer = TrainerRank(run: UInt64.random(in: 0...3, using: &random), rank: Int.random(in: 0..<2, using: &random), of: 2)
            let index = Int.random(in: 0...100_000, using: &random)
            let request: TrainerRequest
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let sampler = FramePairSampler {
                    $0.sampling.imageSize = 32
                    $0.patchSize = 8
                    $0.mask.ratio = 0.75
                    $0.sampling.repeatedSampling = 4
                }
                let identity = PlanIdentity(manifestHash: "of another run", seed: UInt64(index), sampler: AnySampler(sampler))
                request = .open(trainer: trainer, identity: identity, received: 3, isReturning: index.isMultiple(of: 2))
            case 1: request = .samples(trainer: trainer, first: index, count: 1 + index % 8, received: index)
            case 2: request = .ping(trainer: trainer, received: index, asked: index)
            default: request = .goodbye(trainer: trainer)
            }
            return request.bytes
        }
    }

    /// Opens a connection that speaks no ZMTP: nothing, half a greeting, noise, or a greeting and noise. Some are kept open for a while.
    private func connectWithoutSpeaking() {
        guard let descriptor = rawConnection(to: [endpoint.control, endpoint.samples, endpoint.batches].randomElement(using: &random)!)
        else {
            return
        }
        let signature: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F]
        let noise = (0..<Int.random(in: 1...5000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        let greeting = signature + [3, 0] + Array("NULL".utf8) + [UInt8](repeating: 0, count: 48)
        let bytes = [[], signature, noise, greeting + noise, greeting].randomElement(using: &random)!
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        counts["a connection that speaks no ZMTP", default: 0] += 1
        held.append(descriptor)
        if held.count > 16 { close(held.removeFirst()) }
    }
}

/// What is done to a message.
private enum Damage: String, CaseIterable {
    case repeated = "a message of before repeated"
    case magic = "wrong magic"
    case version = "wrong version"
    case type = "unknown type"
    case length = "wrong length"
    case truncated = "truncated"
    case extended = "extended"
    case flipped = "a bit flipped"
    case extreme = "an extreme number"
    case foreign = "of another run"
    case oversized = "oversized"
    case noise = "noise"
    case empty = "empty"
    case manyParts = "of many parts"

    /// Bytes before the version, the type, the length of a message; in a sample its count of arrays takes the type's place.
    private static let (versionPlace, typePlace, lengthPlace) = (4, 6, 8)
    /// What a sample says of itself: its header and the table of its arrays.
    private static let described = 64 + 3 * 64

    private static let extremes: [Int64] = [0, -1, .max, .min, 1 << 31, 1 << 32, 1 << 50, 1 << 53, 1 << 62, 0x7FF8 << 48]

    func parts(of good: [UInt8], isSample: Bool, using random: inout SplitMix64) -> [[UInt8]] {
        var bytes = good
        switch self {
        case .repeated: break
        case .magic: bytes[Int.random(in: 0..<4, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
        case .version: bytes[Self.versionPlace] ^= UInt8.random(in: 1...255, using: &random)
        case .type: bytes[Self.typePlace + 1] ^= UInt8.random(in: 1...255, using: &random)
        case .length: bytes[Self.lengthPlace + Int.random(in: 0..<4, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
        case .truncated: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
        case .extended: bytes += (0..<Int.random(in: 1...64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        case .flipped:
            // A failure that names another ticket, or a sample of other pixels, would be a lie told well.
            let isFailure = !isSample && bytes[Self.typePlace] == 4
            let range = isFailure ? 0..<12 : 0..<min(bytes.count, Self.described)
            bytes[Int.random(in: range, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case .extreme:
            // Behind the wrapping, one field of 8 bytes or two of 4. What it says of a failure would be a lie told well.
            let first = isSample ? 16 : 12
            let end = isSample ? Self.described : !isSample && bytes[Self.typePlace] == 4 ? 20 : bytes.count
            guard end >= first + 8 else { break }
            let place = first + 8 * Int.random(in: 0..<(end - first) / 8, using: &random)
            let number = Self.extremes.randomElement(using: &random)!
            withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(place..<place + 8, with: $0) }
        case .foreign:
            // The fingerprint of a sample's run; of others the sender's number.
            let place = isSample ? 16 : 12
            for index in place..<place + 8 { bytes[index] = UInt8.random(in: 0...255, using: &random) }
        case .oversized: bytes += [UInt8](repeating: 0, count: 70_000)
        case .noise:
            bytes = (0..<Int.random(in: 1...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        case .empty: bytes = []
        case .manyParts: return (0..<Int.random(in: 2...40, using: &random)).map { $0.isMultiple(of: 3) ? [] : bytes }
        }
        return [bytes]
    }
}

/// A connected descriptor to where a socket listens, nil where nobody does.
private func rawConnection(to endpoint: String) -> Int32? {
    func connected(_ domain: Int32, _ address: UnsafePointer<sockaddr>, _ size: Int) -> Int32? {
        let descriptor = socket(domain, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        guard connect(descriptor, address, socklen_t(size)) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
    if endpoint.hasPrefix("ipc://") {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: endpoint.dropFirst(6).utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connected(AF_UNIX, $0, MemoryLayout<sockaddr_un>.size) }
        }
    }
    guard let colon = endpoint.lastIndex(of: ":"), let port = UInt16(endpoint[endpoint.index(after: colon)...]) else { return nil }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, String(endpoint.dropFirst(6)[..<colon]), &address.sin_addr)
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connected(AF_INET, $0, MemoryLayout<sockaddr_in>.size) }
    }
}
