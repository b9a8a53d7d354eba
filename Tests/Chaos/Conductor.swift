import Base
import Console
import Foundation
import TestSupport
import Training

/// Keeps the processes of a run going and disturbs them, fault after fault, as a seed has it.
///
/// Whatever it did not cause is a finding and ends the run: a process that ends by itself, a run that comes to no next checkpoint.
final class Conductor {
    let stage: Stage
    let batcher: RoleProcess
    let trainer: RoleProcess
    let evaluator: RoleProcess
    let decoders: [RoleProcess]
    private let twins: [RoleProcess]
    private let hostile: RoleProcess
    private let disk: SmallDisk?
    var random: SplitMix64
    private var round: [Fault] = []
    private var due: [(at: Double, action: () throws -> Void)] = []
    private let begin = monotonicSeconds()
    private var sampledAt = 0.0
    private var line = ProgressLine()
    /// How often each fault was done.
    var tally: [String: Int] = [:]
    /// What was seen of the faults of the network.
    private(set) var observations: [String] = []
    private(set) var graph = Graph()
    private(set) var starts = 0
    /// Set while the trainer is to end of a full disk.
    private var diskFilledAt: Double?

    /// Decoders at the start; the first is always wanted, the second reaches the batcher through the hostile client.
    private static let decodersAtStart = 3
    private static let decodersOnNetwork = 5
    private static let maximumDecoders = 7
    /// Mean seconds between faults, and bounds of the seconds for which a process is stopped: longer than silence and
    /// handshakes (5 s); one in ten longer than leases and stalls (60 s), where there is time for that.
    private static let interval = 2.0
    private static let pause = 6.0...12.0
    private static let longPause = 65.0...75.0
    /// Seconds in which a run that nothing disturbs must come to its next checkpoint, and an asked process to its end.
    static let timeout = 300.0

    init(_ stage: Stage, hostileRate: Int, disk: SmallDisk?) throws {
        self.stage = stage
        self.disk = disk
        random = SplitMix64(seed: stage.seed)
        batcher = stage.batcher()
        trainer = try stage.trainer()
        evaluator = stage.evaluator()
        decoders = (1...Self.maximumDecoders).map { stage.decoder($0, isTapped: $0 == 2) }
        twins = (1...2).map { stage.twin($0) }
        hostile = stage.hostile(rate: hostileRate)
        let atStart = stage.network == nil ? Self.decodersAtStart : Self.decodersOnNetwork
        for decoder in decoders.dropFirst(atStart) { decoder.isWanted = false }
        for twin in twins { twin.isWanted = false }
        hostile.isWanted = stage.network == nil
    }

    var all: [RoleProcess] { [batcher, trainer, evaluator, hostile] + decoders + twins }
    var seconds: Double { monotonicSeconds() - begin }

    /// The last checkpoint's step.
    var step: Int { (try? CheckpointFolder(reading: stage.checkpoints).steps().last) ?? 0 }

    // MARK: The run

    /// Disturbs the run for so many seconds, then lets it settle and stops it. Returns the step at which it stopped.
    func run(seconds limit: Double) throws -> Int {
        defer { for process in all { process.kill() } }
        var next = 4.0
        while seconds < limit, !Interruption.isRequested {
            try tick()
            guard seconds >= next else { continue }
            if round.isEmpty { round = Fault.round(using: &random) }
            // One whose target is not there waits behind the others.
            let fault = round.removeFirst()
            if try inflict(fault, limit: limit) {
                tally[fault.rawValue, default: 0] += 1
                next = seconds + Double.random(in: 0.4...1.6, using: &random) * Self.interval
            } else if fault != .fillDisk || disk != nil {
                round.append(fault)
                next = seconds + 0.2
            }
        }
        try settle()
        return try stop()
    }

    /// Undoes what is still to be undone, and waits until the run comes to two further checkpoints.
    func settle() throws {
        let deadline = monotonicSeconds() + Self.timeout
        while !due.isEmpty || diskFilledAt != nil {
            try tick()
            guard monotonicSeconds() < deadline else { throw Failure("the run does not settle") }
        }
        let first = step
        while step < first + 80 {
            try tick()
            guard monotonicSeconds() < deadline else {
                throw Failure("the run stands still at step \(step) although nothing disturbs it any more")
            }
        }
    }

    func stop() throws -> Int {
        for process in [trainer, evaluator] + decoders + twins + [hostile, batcher] where process.isStarted {
            process.isWanted = false
            process.askToStop()
            let deadline = monotonicSeconds() + Self.timeout
            while !process.hasEnded {
                guard monotonicSeconds() < deadline else { throw Failure("\(process.name) did not stop when it was asked to") }
                try tick()
            }
            let status = process.reap()
            guard process.ends.contains(status) else { throw ended(process, status) }
        }
        line.finish(progress)
        return step
    }

    /// Twenty times a second: takes note of ends, starts what is to run, does what is due.
    func tick() throws {
        usleep(50_000)
        for process in all where process.hasEnded && process.isWanted { try takeEnd(of: process) }
        let now = monotonicSeconds()
        for process in all
        where process.isWanted && !process.isStarted && now >= process.startsAt && !(process === trainer && disk?.isFull == true) {
            try process.start()
            starts += 1
        }
        let ready = due.filter { $0.at <= now }
        due.removeAll { $0.at <= now }
        for entry in ready { try entry.action() }
        if let diskFilledAt, now - diskFilledAt > Self.timeout { throw Failure("the trainer goes on although its disk is full") }
        if now - sampledAt >= 1 {
            sampledAt = now
            graph.append(measure())
        }
        line.show(progress)
    }

    private func takeEnd(of process: RoleProcess) throws {
        let isExpected = process.isEndExpected
        let status = process.reap()
        // A launcher of several trainers may give the code of those that it ended because of the one that failed.
        if process === trainer, disk?.isFull == true, status != 0, process.output.contains("No space left on device") {
            disk?.free()
            diskFilledAt = nil
        } else if !isExpected || !process.ends.contains(status) {
            throw ended(process, status)
        }
        process.startsAt = max(process.startsAt, monotonicSeconds() + Double.random(in: 0...0.5, using: &random))
    }

    private func ended(_ process: RoleProcess, _ status: Int32) -> Failure {
        let how = status < 0 ? "signal \(-status)" : "exit code \(status)"
        return Failure("\(process.name) ended with \(how), which it should not; its last lines:\n\(process.output.suffix(3000))")
    }

    // MARK: Faults

    /// Does a fault where its target is there. Returns whether it did.
    func inflict(_ fault: Fault, limit: Double) throws -> Bool {
        func target(_ processes: [RoleProcess]) -> RoleProcess? { processes.filter(\.isAtWork).randomElement(using: &random) }
        /// What hits the trainer or the batcher waits until a full disk has had its effect.
        let isDiskFree = diskFilledAt == nil
        switch fault {
        case .killDecoder: return kill(target(decoders))
        case .killBatcher: return kill(target([batcher]))
        case .killTrainer: return isDiskFree && kill(target([trainer]))
        case .killEvaluator: return kill(target([evaluator]))
        case .killAll:
            guard isDiskFree else { return false }
            for process in all where process.isStarted && process !== hostile { process.kill() }
        case .pauseDecoder: return pause(target(decoders), limit: limit)
        case .pauseBatcher: return pause(target([batcher]), limit: limit)
        case .pauseTrainer: return isDiskFree && pause(target([trainer]), limit: limit)
        case .decoderJoins:
            guard let decoder = decoders.filter({ !$0.isWanted && !$0.isStarted }).randomElement(using: &random) else { return false }
            decoder.isWanted = true
        case .decoderLeaves:
            guard let decoder = target(Array(decoders.dropFirst())) else { return false }
            leave(decoder)
        case .restartBatcher: return restart(target([batcher]))
        case .restartTrainer: return isDiskFree && restart(target([trainer]))
        case .removeSockets:
            guard batcher.isAtWork else { return false }
            for suffix in ["", ".samples", ".batches"] { unlink(stage.run + "/batcher" + suffix) }
            // Those connected go on; nobody new finds the batcher until it is started again.
            after(2) { [self] in if batcher.isAtWork { _ = restart(batcher) } }
        case .twins:
            guard twins.allSatisfy({ !$0.isStarted }) else { return false }
            for twin in twins { twin.isWanted = true }
            after(Double.random(in: 5...10, using: &random)) { [self] in for twin in twins { leave(twin) } }
        case .fillDisk:
            guard let disk, isDiskFree, trainer.isAtWork else { return false }
            try disk.fill()
            diskFilledAt = monotonicSeconds()
        }
        return true
    }

    private func kill(_ process: RoleProcess?) -> Bool {
        process?.kill()
        return process != nil
    }

    private func restart(_ process: RoleProcess?) -> Bool {
        process?.askToStop()
        return process != nil
    }

    private func pause(_ process: RoleProcess?, limit: Double) -> Bool {
        guard let process else { return false }
        let isLong = limit - seconds > 300 && Int.random(in: 0..<10, using: &random) == 0
        process.pause()
        after(Double.random(in: isLong ? Self.longPause : Self.pause, using: &random)) { process.resume() }
        return true
    }

    /// Has a process end by itself, and not come back before it is wanted again.
    private func leave(_ process: RoleProcess) {
        process.isWanted = false
        process.resume()
        process.askToStop()
        reapWhenEnded(process, until: monotonicSeconds() + Self.timeout)
    }

    func reapWhenEnded(_ process: RoleProcess, until deadline: Double) {
        after(0.1) { [self] in
            guard process.hasEnded || !process.isStarted else {
                guard monotonicSeconds() < deadline else { throw Failure("\(process.name) did not stop when it was asked to") }
                return reapWhenEnded(process, until: deadline)
            }
            // Everything may have been killed meanwhile.
            let status = process.reap()
            guard process.ends.contains(status) else { throw ended(process, status) }
        }
    }

    private func after(_ seconds: Double, _ action: @escaping () throws -> Void) {
        due.append((monotonicSeconds() + seconds, action))
    }

    // MARK: What is shown

    func observe(_ line: String) { observations.append(line) }

    private func measure() -> Graph.Row {
        var resident: [RoleProcess.Role: Int] = [:]
        for process in all { resident[process.role] = max(resident[process.role] ?? 0, process.residentBytes) }
        return Graph.Row(seconds: seconds, step: step, decoders: decoders.count(where: \.isAtWork), resident: resident)
    }

    private var progress: String {
        let faults = tally.values.reduce(0, +)
        return "\(formatDuration(seconds))  step \(step)  \(faults) faults  \(decoders.count(where: \.isAtWork)) decoders at work"
            + "  batcher \(formatBytes(batcher.residentBytes))"
    }
}
