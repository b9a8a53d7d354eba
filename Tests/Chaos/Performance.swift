import Base
import Console
import Foundation
import Sampling

/// One whole test: data, disturbed run, undisturbed run, comparison, report.
struct Performance {
    let stage: Stage
    let seconds: Double
    let hostileRate: Int

    func run() throws {
        try? FileManager.default.removeItem(atPath: stage.folder)
        note("preparing \(Stage.videos) videos, two of which then break")
        try stage.prepare()
        if let network = stage.network { return try run(on: network) }
        let disk = SmallDisk(over: stage.checkpoints)
        defer { disk?.remove() }
        if disk == nil { note("skipped: the full disk; it takes a user who may mount a file system") }

        note("disturbing a run for \(formatDuration(seconds)), seed \(stage.seed)")
        let conductor = try Conductor(stage, hostileRate: hostileRate, disk: disk)
        defer { try? conductor.graph.write(to: stage.folder) }
        let step = try conductor.run(seconds: seconds)
        report(conductor)
        try judgeMemory(conductor.graph)
        let log = try compareWithUndisturbed(to: step)
        let listed = try Verdict.checkReplaced(stage.run + "/runs/chaos/replaced.jsonl", with: stage.run + "/samples.log", to: step)
        print("\(listed) replaced videos are listed, each once")

        note("breaking a video under a run's hands")
        let video = try stage.runWhileAVideoBreaks()
        let broken = stage.folder + "/breaking/samples.log"
        print(try stage.tandem(["check-log", broken]), terminator: "")
        let replaced = try Verdict.compareReplaced(broken, with: log, broken: video)
        guard replaced > 0 else { throw Failure("\(video) broke, and no sample of it was replaced") }
        print("\(replaced) samples of a video that broke in mid-run were replaced, the others are the same")
    }

    /// The test on several hosts.
    private func run(on network: Network) throws {
        note("disturbing the network of a run on \(Host.allCases.count) hosts, seed \(stage.seed)")
        let conductor = try Conductor(stage, hostileRate: hostileRate, disk: nil)
        defer { try? conductor.graph.write(to: stage.folder) }
        let step = try conductor.run(on: network)
        for fault in NetworkFault.allCases.map(\.rawValue) + Set(NetworkFault.kills.map(\.rawValue)).sorted() {
            print("\(conductor.tally[fault] ?? 0)\t\(fault)")
        }
        for line in conductor.observations { print(line) }
        print("the wire: \(network.remove())", terminator: "")
        _ = try compareWithUndisturbed(to: step)
    }

    /// Runs undisturbed to a step, and compares samples and weights. Returns the path of the undisturbed log.
    private func compareWithUndisturbed(to step: Int) throws -> String {
        note("running undisturbed to step \(step)")
        let begin = monotonicSeconds()
        var line = ProgressLine()
        let log = (disturbed: stage.run + "/samples.log", undisturbed: stage.reference + "/samples.log")
        let reference = try stage.runReference(to: step) {
            line.show(
                progressBar(done: size(log.undisturbed), of: size(log.disturbed), unit: "bytes of log", elapsed: monotonicSeconds() - begin)
            )
        }
        note("step \(step) again after \(formatDuration(monotonicSeconds() - begin))")
        print(try stage.tandem(["check-log", log.disturbed, log.undisturbed]), terminator: "")
        let numbers = try Verdict.compareWeights(stage.checkpoints + "/" + Stage.checkpointName(step), with: reference)
        print("weights and moments after step \(step): \(numbers) numbers, bit for bit the same")
        return log.undisturbed
    }

    private func note(_ line: String) { writeError("chaos: \(line)\n") }

    private func size(_ path: String) -> Int { ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0 }

    /// Prints what was done to the run.
    private func report(_ conductor: Conductor) {
        for fault in Fault.allCases { print("\(conductor.tally[fault.rawValue] ?? 0)\t\(fault.rawValue)") }
        let messages = (try? String(contentsOfFile: stage.run + "/hostile.tally", encoding: .utf8)) ?? ""
        let counts = messages.split(separator: "\n").compactMap { Int($0.prefix { $0 != "\t" }) }
        print("\(counts.reduce(0, +))\thostile messages and connections, \(counts.count) kinds: see \(stage.run)/hostile.tally")
        print("\(conductor.starts)\tstarts of processes")
    }

    /// No queue grows: late in the run no role takes more than early, but for some slack.
    private func judgeMemory(_ graph: Graph) throws {
        for role in Graph.roles {
            let (early, late) = (graph.most(role, in: 0.05...0.4), graph.most(role, in: 0.6...1))
            print("\(role.rawValue): at most \(formatBytes(early)) early, \(formatBytes(late)) late")
            guard late < early * 5 / 4 + 32 << 20 else {
                throw Failure("the \(role.rawValue)'s memory grows; see \(stage.folder)/graph.svg")
            }
        }
    }
}
