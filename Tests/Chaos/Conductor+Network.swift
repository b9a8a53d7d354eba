import Base
import Console
import Foundation

/// A run on several hosts whose network is disturbed.
extension Conductor {
    /// Does each fault of the network once, as the seed orders them, then lets the run settle and stops it. Returns the step at which it
    /// stopped.
    func run(on network: Network) throws -> Int {
        defer { for process in all { process.kill() } }
        try wait(until: { self.knownDecoders == self.wantedDecoders }, "all decoders have joined")
        for fault in NetworkFault.allCases.shuffled(using: &random) where !Interruption.isRequested {
            try inflict(fault, on: network)
            tally[fault.rawValue, default: 0] += 1
        }
        try settle()
        return try stop()
    }

    private func inflict(_ fault: NetworkFault, on network: Network) throws {
        let hosts = [Host.first, .second].filter { host in decoders.contains { $0.host == host && $0.isWanted } }
        let host = hosts.randomElement(using: &random)!
        switch fault {
        case .delay, .loss, .rate:
            network.set(fault.cable!, of: .run)
            let end = seconds + NetworkFault.disturbed
            while seconds < end, !Interruption.isRequested {
                let kill = NetworkFault.kills.randomElement(using: &random)!
                if try inflict(kill, limit: end) { tally[kill.rawValue, default: 0] += 1 }
                try wait(seconds: NetworkFault.killInterval)
            }
            network.set(Cable(), of: .run)
            try wait(until: { self.knownDecoders == self.wantedDecoders }, "all decoders are back after \(fault.rawValue)")
        case .pullDecoders: try pull(.init(of: host, cutting: [host]), on: network)
        case .pullRun: try pull(.init(of: .run, cutting: hosts), on: network)
        case .removeHost:
            network.takeAway(host)
            let begin = seconds
            for decoder in decoders where decoder.host == host {
                decoder.isWanted = false
                decoder.kill()
                reapWhenEnded(decoder, until: monotonicSeconds() + Self.timeout)
            }
            try wait(until: { self.knownDecoders == self.wantedDecoders }, "the decoders of a host that is gone are given up")
            observe("\(fault.rawValue): its decoders given up after \(tenths(seconds - begin)) s")
        }
    }

    /// A cable and the decoder hosts that are out of reach without it.
    private struct Cut {
        var cable: Host
        var hosts: [Host]

        init(of cable: Host, cutting hosts: [Host]) { (self.cable, self.hosts) = (cable, hosts) }
    }

    /// Pulls a cable for a minute, in which the run must go on, and plugs it in again.
    private func pull(_ cut: Cut, on network: Network) throws {
        let all = wantedDecoders
        let away = decoders.count { $0.isWanted && cut.hosts.contains($0.host) }
        let (begin, firstStep, said) = (seconds, step, batcher.output.utf8.count)
        network.set(Cable(isPulled: true), of: cut.cable)
        try wait(
            until: { String(decoding: self.batcher.output.utf8.dropFirst(said), as: UTF8.self).contains("silent") },
            "tickets of decoders out of reach go to others")
        let reissued = seconds - begin
        try wait(until: { self.knownDecoders == all - away }, "decoders out of reach are given up")
        let givenUp = seconds - begin
        try wait(seconds: NetworkFault.pulled - givenUp)
        guard Interruption.isRequested || step > firstStep else {
            throw Failure("the run stood still at step \(firstStep) while the cable of the \(cut.cable) host was pulled")
        }
        let steps = step - firstStep
        network.set(Cable(), of: cut.cable)
        let plugged = seconds
        try wait(until: { self.knownDecoders == all }, "decoders are back after their cable is")
        observe(
            "cable of the \(cut.cable) host pulled: the first tickets of \(away) decoders went to others after \(tenths(reissued)) s, all were "
                + "given up after \(tenths(givenUp)) s, all were back \(tenths(seconds - plugged)) s after the cable; "
                + "\(steps) steps meanwhile")
    }

    private func tenths(_ seconds: Double) -> String { String(format: "%.1f", seconds) }

    /// Decoders at work, as the batcher last told.
    private var knownDecoders: Int? {
        let line = batcher.output.split(separator: "\n").last { $0.hasSuffix(" at work") }
        return line?.split(separator: " ").dropLast(2).last.flatMap { Int($0) }
    }

    private var wantedDecoders: Int { decoders.count(where: \.isWanted) }

    private func wait(seconds duration: Double) throws {
        let end = seconds + duration
        while seconds < end, !Interruption.isRequested { try tick() }
    }

    private func wait(until condition: () -> Bool, _ what: String) throws {
        let deadline = seconds + Self.timeout
        while !condition(), !Interruption.isRequested {
            guard seconds < deadline else { throw Failure("waited \(Int(Self.timeout)) s, and it is not so: \(what)") }
            try tick()
        }
    }
}
