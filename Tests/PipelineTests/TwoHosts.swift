import Foundation
import TestSupport

/// Two hosts with a cable between them: network namespaces of this machine, which go with their owner.
final class TwoHosts {
    static let addresses = ["10.213.9.1", "10.213.9.2"]
    private let namespaces: [String]

    /// Why this user, or this machine, may not make any; nil where it may.
    static let obstacle: String? = {
        do {
            _ = try TwoHosts()
            return nil
        } catch { return "\(error)" }
    }()

    private struct Refusal: Error, CustomStringConvertible { let description: String }

    init() throws {
        let name = "tandem-\(getpid())-\(UInt16.random(in: 0...UInt16.max))"
        namespaces = [name + "-a", name + "-b"]
        for namespace in namespaces { try Self.ip(["netns", "add", namespace]) }
        try Self.ip(["-n", namespaces[0], "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", namespaces[1]])
        for (namespace, address) in zip(namespaces, Self.addresses) {
            try Self.ip(["-n", namespace, "addr", "add", address + "/24", "dev", "cable"])
            for device in ["lo", "cable"] { try Self.ip(["-n", namespace, "link", "set", "dev", device, "up"]) }
        }
    }

    deinit { for namespace in namespaces { try? Self.ip(["netns", "delete", namespace]) } }

    private static func ip(_ arguments: [String]) throws {
        guard let ip = Programs.find("ip") else { throw Refusal(description: "there is no ip") }
        let (status, output) = try Programs.run(path: ip, arguments)
        guard status == 0 else { throw Refusal(description: "ip \(arguments.joined(separator: " ")): \(output)") }
    }

    /// A program of ours as a host runs it.
    func process(_ program: String, _ arguments: [String], on host: Int, in folder: String) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["ip", "netns", "exec", namespaces[host], program] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// Bytes that have come over the cable.
    func bytesReceived(on host: Int) throws -> Int {
        guard let ip = Programs.find("ip") else { throw Refusal(description: "there is no ip") }
        let (_, output) = try Programs.run(
            path: ip, ["netns", "exec", namespaces[host], "cat", "/sys/class/net/cable/statistics/rx_bytes"])
        guard let bytes = Int(output.filter(\.isNumber)) else { throw Refusal(description: "no number of bytes: \(output)") }
        return bytes
    }

    /// A program that runs a command on the host whose address comes before it, as ssh would; launchers of MPI call it.
    func writeRemoteShell(to path: String) throws {
        let text = """
            #!/bin/sh
            while [ "${1#-}" != "$1" ]; do shift; done
            case $1 in \(Self.addresses[0])) namespace=\(namespaces[0]) ;; *) namespace=\(namespaces[1]) ;; esac
            shift
            exec ip netns exec $namespace sh -c "$*"
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }
}
