import Base
import Console
import Foundation

/// A computer of the run: a network namespace.
enum Host: Int, CaseIterable {
    /// The batcher's and the trainer's.
    case run
    /// Two of decoders, which reach it over the wire.
    case first, second
    /// One of decoders, joined to it by a pair of devices of its own, which nothing disturbs.
    case near

    static let onWire: [Host] = [.run, .first, .second]
}

/// The hosts and what joins them. Made in the kernel of this machine, and gone with ``remove()``.
final class Network {
    private let prefix = "tandem-chaos-\(getpid())"
    private let wire = Process()
    private let commands = Pipe()
    private let reports = Pipe()

    private static let (near, runAtNear) = ("10.213.8.2", "10.213.8.1")

    /// - Throws: why this user, or this machine, may not make one.
    init(seed: UInt64) throws {
        do { try make(seed: seed) } catch {
            _ = remove()
            throw error
        }
    }

    private func make(seed: UInt64) throws {
        for host in Host.allCases {
            try ip("netns", "add", namespace(host))
            try ip("-n", namespace(host), "link", "set", "dev", "lo", "up")
        }
        let (here, there) = ("veth", "veth")
        try ip("-n", namespace(.run), "link", "add", here, "type", "veth", "peer", "name", there, "netns", namespace(.near))
        for (host, address) in [(Host.run, Self.runAtNear), (.near, Self.near)] {
            try ip("-n", namespace(host), "addr", "add", address + "/24", "dev", here)
            try ip("-n", namespace(host), "link", "set", "dev", here, "up")
        }
        wire.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        wire.arguments = ["--wire", Host.onWire.map(namespace).joined(separator: ","), "--seed", "\(seed)"]
        wire.standardInput = commands
        wire.standardOutput = reports
        try wire.run()
        guard report().hasPrefix("ready") else { throw Failure("the wire between the hosts could not be made") }
    }

    private func namespace(_ host: Host) -> String { "\(prefix)-\(host)" }

    private func report() -> String { String(decoding: reports.fileHandleForReading.availableData, as: UTF8.self) }

    /// The words that have a command run on a host.
    func prefix(on host: Host) -> [String] { ["/usr/bin/env", "ip", "netns", "exec", namespace(host)] }

    /// Where a host finds the run's.
    func address(ofRunFrom host: Host) -> String {
        switch host {
        case .run: "127.0.0.1"
        case .near: Self.runAtNear
        case .first, .second: Wire.address(ofHost: Host.run.rawValue)
        }
    }

    func set(_ cable: Cable, of host: Host) { tell("\(host.rawValue) \(cable)") }

    /// Takes a host's address away for good.
    func takeAway(_ host: Host) { tell("\(host.rawValue) gone") }

    private func tell(_ line: String) { commands.fileHandleForWriting.write(Data((line + "\n").utf8)) }

    /// Takes everything away. Returns what the wire did.
    func remove() -> String {
        try? commands.fileHandleForWriting.close()
        let report = wire.isRunning ? report() : ""
        if wire.isRunning { wire.waitUntilExit() }
        for host in Host.allCases { try? ip("netns", "delete", namespace(host)) }
        return report
    }
}

/// Runs `ip` to its end.
func ip(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["ip"] + arguments
    process.standardInput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw Failure("ip \(arguments.joined(separator: " ")): \(text.trimmingCharacters(in: .whitespacesAndNewlines))")
    }
}
