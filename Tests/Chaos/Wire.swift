import Base
import Console
import Foundation
import TestSupport

/// A network in user space, for kernels whose own cannot be disturbed: one TUN device in each host's namespace, packets carried between
/// them with delay, loss and a limited rate, all from a seed. It is a process of its own, told what to do line by line.
///
///     1 0.2,0.05,65536,0     the first host's cable: seconds, share lost, bytes a second, whether it is pulled
///     1 gone                 the first host's device is no more
final class Wire {
    private struct Packet {
        var due: Double
        var bytes: [UInt8]
    }

    /// What is under way from one host to another, in order.
    private struct Lane {
        var packets: [Packet] = []
        var first = 0
        var freeAt = 0.0

        var count: Int { packets.count - first }

        mutating func removeFirst() -> Packet {
            defer {
                first += 1
                if first > 256, first * 2 > packets.count {
                    packets.removeFirst(first)
                    first = 0
                }
            }
            return packets[first]
        }
    }

    private var devices: [Int32]
    private var cables: [Cable]
    /// From host a to host b at a * hosts + b.
    private var lanes: [Lane]
    private var random: SplitMix64
    private var (carried, lost) = (0, 0)
    private var rest: [UInt8] = []

    /// Packets that wait for their turn on a slow cable; more are dropped, as by a switch.
    private static let room = 2000
    private static let largestPacket = 1500

    /// - Parameter namespaces: of the hosts. The k-th gets the address ``address(ofHost:)``.
    init(namespaces: [String], seed: UInt64) throws {
        random = SplitMix64(seed: seed)
        cables = namespaces.map { _ in Cable() }
        lanes = namespaces.flatMap { _ in namespaces.map { _ in Lane() } }
        devices = []
        for (host, namespace) in namespaces.enumerated() {
            let name = "wire\(host)-\(getpid())"
            devices.append(try Self.device(called: name))
            try ip("link", "set", "dev", name, "netns", namespace)
            try ip("-n", namespace, "addr", "add", Self.address(ofHost: host) + "/24", "dev", name)
            try ip("-n", namespace, "link", "set", "dev", name, "mtu", "\(Self.largestPacket)", "up")
        }
    }

    static func address(ofHost host: Int) -> String { "10.213.7.\(host + 1)" }

    /// A TUN device, which lasts as long as its descriptor.
    private static func device(called name: String) throws -> Int32 {
        let (setDevice, isTUN, hasNoHeader) = (UInt(0x4004_54CA), Int16(1), Int16(0x1000))
        let descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)
        // struct ifreq: the name, then the flags.
        var request = [UInt8](repeating: 0, count: 40)
        request.replaceSubrange(0..<name.utf8.count, with: name.utf8)
        let isMade = request.withUnsafeMutableBytes { request in
            request.storeBytes(of: isTUN | hasNoHeader, toByteOffset: 16, as: Int16.self)
            return descriptor >= 0 && ioctl(descriptor, setDevice, request.baseAddress!) == 0
        }
        guard isMade else { throw Failure("/dev/net/tun: \(String(cString: strerror(errno)))") }
        return descriptor
    }

    /// Carries packets until its input ends. Prints "ready" first and what it did last.
    func run() throws {
        say("ready")
        var polled = [pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)]
        while true {
            polled.replaceSubrange(1..., with: devices.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) })
            _ = poll(&polled, nfds_t(polled.count), millisecondsToNext)
            if polled[0].revents != 0, !readCommands() { break }
            for host in devices.indices where polled[1 + host].revents != 0 { take(from: host) }
            deliver()
        }
        say("\(carried) packets carried, \(lost) lost")
    }

    private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    private var millisecondsToNext: Int32 {
        guard let due = lanes.compactMap({ $0.count > 0 ? $0.packets[$0.first].due : nil }).min() else { return 1000 }
        return Int32(max(0, (due - monotonicSeconds()) * 1000).rounded(.up))
    }

    /// False at the end of the input.
    private func readCommands() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        guard count > 0 else { return false }
        rest += buffer[..<count]
        while let end = rest.firstIndex(of: 10) {
            let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
            rest.removeSubrange(...end)
            let host = Int(words[0])!
            if let cable = Cable(String(words[1])) {
                cables[host] = cable
            } else {
                close(devices[host])
                devices[host] = -1
            }
        }
        return true
    }

    /// Puts a host's packets on their way.
    private func take(from host: Int) {
        var buffer = [UInt8](repeating: 0, count: Self.largestPacket)
        while true {
            let count = read(devices[host], &buffer, buffer.count)
            guard count > 0 else { return }
            // IPv4 alone; the last byte of the destination is the host.
            guard count >= 20, buffer[0] >> 4 == 4, case let target = Int(buffer[19]) - 1, devices.indices.contains(target) else {
                continue
            }
            send(Array(buffer[..<count]), from: host, to: target)
        }
    }

    private func send(_ bytes: [UInt8], from host: Int, to target: Int) {
        let ends = [cables[host], cables[target]]
        let place = host * devices.count + target
        let isLost = ends.contains { $0.isPulled || Double.random(in: 0..<1, using: &random) < $0.loss }
        guard !isLost, lanes[place].count < Self.room else {
            lost += 1
            return
        }
        let rate = ends.map(\.rate).filter { $0 > 0 }.min()
        let begin = max(monotonicSeconds(), lanes[place].freeAt)
        lanes[place].freeAt = begin + (rate.map { Double(bytes.count) / $0 } ?? 0)
        lanes[place].packets.append(Packet(due: lanes[place].freeAt + ends.reduce(0) { $0 + $1.delay }, bytes: bytes))
    }

    private func deliver() {
        let now = monotonicSeconds()
        for place in lanes.indices {
            let (host, target) = (place / devices.count, place % devices.count)
            while lanes[place].count > 0, lanes[place].packets[lanes[place].first].due <= now {
                let packet = lanes[place].removeFirst()
                // What is on its way when a cable is pulled does not arrive.
                let arrives =
                    !cables[host].isPulled && !cables[target].isPulled
                    && write(devices[target], packet.bytes, packet.bytes.count) == packet.bytes.count
                if arrives { carried += 1 } else { lost += 1 }
            }
        }
    }
}
