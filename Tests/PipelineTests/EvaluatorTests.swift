import Dataflow
import Foundation
import TestSupport
import Testing
import WeightFiles
import ZeroMQ

/// Evaluators beside a training, and what befalls them: none of it ends the evaluation of the checkpoints that follow.
@Suite(.serialized, .timeLimit(.minutes(30))) struct EvaluatorTests {
    /// Runs an evaluator against a trainer that is played by the test, until the evaluator has ended.
    private func evaluate(
        _ checkpoints: [Int: [UInt8]], in data: TinyDataSet, options: [String] = []
    ) throws -> (events: [CheckpointServer.Event], status: Int32, output: String) {
        let endpoint = "ipc://\(data.folder)/t"
        // Its clock is fast, so that what failed is tried again soon.
        let server = try CheckpointServer(Endpoint(endpoint), in: Context()) { (checkpoints[$0]!, false) }
        for step in checkpoints.keys { server.announce(step) }
        server.finish()
        let evaluator = try Programs.start("tandem-evaluator", ["--trainer", endpoint] + options, in: data.folder)
        let start = ProcessInfo.processInfo.systemUptime
        var events: [CheckpointServer.Event] = []
        while evaluator.process.isRunning {
            events += try server.serve(now: 60 * (ProcessInfo.processInfo.systemUptime - start))
            usleep(1000)
        }
        #expect(server.pending == [])
        let (status, output) = Programs.finish(evaluator)
        return (events, status, output)
    }

    /// The encoder of a training of one step, with its data set in the pipeline.
    private func encoder(_ data: TinyDataSet) throws -> [UInt8] {
        let run = try data.run("weights", settings: ["train.steps=1", "evaluation.davis=\"\(data.folder)/davis\""])
        return try EncoderWeights(path: run.lastCheckpoint).encoded()
    }

    /// The steps that got scores.
    private func scored(_ events: [CheckpointServer.Event]) -> Set<Int> {
        Set(events.compactMap { if case .scores(let step, _, _) = $0 { step } else { nil } })
    }

    private func problems(_ events: [CheckpointServer.Event]) -> [String] {
        events.compactMap { if case .problem(let line) = $0 { line } else { nil } }
    }

    /// A checkpoint that is no file of weights, one of weights that are not finite, one that is cut off: each has its three failures, and the
    /// one behind them its scores.
    @Test func aCheckpointThatFailsIsPassedOver() throws {
        let data = try TinyDataSet()
        let good = try encoder(data)
        let header = 8 + good.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let notFinite = Array(good[..<header]) + [UInt8](repeating: 0xff, count: good.count - header)
        let (events, status, output) = try evaluate(
            [10: Array("no weights".utf8), 20: notFinite, 30: Array(good.dropLast(1000)), 40: good], in: data)
        #expect(status == 0, "\(output)")
        #expect(scored(events) == [40], "\(output)")
        for step in [10, 20, 30] {
            let lines = problems(events).filter { $0.hasPrefix("an evaluator failed at the checkpoint of step \(step), ") }
            #expect(lines.map { $0.contains("it stays without scores") } == [false, false, true], "\(lines)")
            #expect(output.contains("step \(step) cannot be scored: "), "\(output)")
        }
        #expect(problems(events).contains { $0.contains("step 20") && $0.contains("not finite") }, "\(problems(events))")
    }

    /// A folder of results that belongs to other weights is a failure like any other.
    @Test func anOutputThatCannotBeWrittenIsAFailureLikeAnyOther() throws {
        let data = try TinyDataSet()
        let good = try encoder(data)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: data.makeFolder("out/step-10/davis") + "/evaluation.json"))
        let (events, status, output) = try evaluate([10: good, 20: good], in: data, options: ["--output", "out"])
        #expect(status == 0 && scored(events) == [20] && problems(events).count == 3, "\(output)")
    }

    /// What was asked for on the command line and is not there is not waited for.
    @Test func aDataSetOfItsOwnMustBeThere() throws {
        let data = try TinyDataSet()
        let (status, output) = try Programs.run(
            "tandem-evaluator", ["--trainer", "ipc://\(data.folder)/t", "--root", "nowhere"], in: data.folder, seconds: 60)
        #expect(status == 1 && output.contains("nowhere has no list of sequences"), "\(output)")
    }

    /// The data set is away when the run begins, and comes back later.
    @Test func aDataSetThatIsAwayForAWhileCostsNoScore() throws {
        let data = try TinyDataSet()
        let folder = try data.makeFolder("away")
        let davis = data.folder + "/davis"
        #expect(rename(davis, davis + ".away") == 0)
        let running = try data.start(in: folder, settings: ["evaluation.davis=\"\(davis)\"", "evaluation.every=2"])
        while !running.output.contains("failed at the checkpoint of step 0"), running.process.isRunning { usleep(10_000) }
        #expect(rename(davis + ".away", davis) == 0)
        let (status, output) = Programs.finish(running, seconds: 300)
        #expect(status == 0 && !output.contains("goes on without it"), "\(output)")
        let lines = try String(contentsOfFile: folder + "/runs/tiny/scores.jsonl", encoding: .utf8).split(separator: "\n")
        let steps = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }.map { $0?["step"] as? Int }
        #expect(steps.sorted { $0! < $1! } == [0, 2, 4, 6], "\(output)")
    }

    /// An evaluator that is killed again and again ends no training.
    @Test func aRunGoesOnWithoutAnEvaluatorThatCrashes() throws {
        let data = try TinyDataSet()
        let folder = try data.makeFolder("crashing")
        let running = try data.start(in: folder, settings: ["evaluation.davis=\"\(data.folder)/davis\"", "train.steps=1000000"])
        while !running.output.contains("; the run goes on without it"), running.process.isRunning {
            for evaluator in try children(of: running, named: "tandem-evaluator") { kill(evaluator, SIGKILL) }
            usleep(100_000)
        }
        let before = running.output
        #expect(before.contains("evaluator | ended with signal 9 (Killed); starting it again"), "\(before)")
        #expect(
            before.contains("evaluator | ended 5 times within a minute, last with signal 9 (Killed); the run goes on without it"),
            "\(before)")
        while !running.output.dropFirst(before.count).contains("trainer   | step "), running.process.isRunning { usleep(10_000) }
        running.signal(SIGTERM)
        let (status, output) = Programs.finish(running)
        #expect(status == 0 && output.contains("stopped after step"), "\(output)")
    }

    private func children(of running: Programs.Running, named name: String) throws -> [pid_t] {
        let parent = running.process.processIdentifier
        return try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { process in
            guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
                let line = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(process)/cmdline"))
            else { return false }
            return status.contains("PPid:\t\(parent)\n") && String(decoding: line.prefix { $0 != 0 }, as: UTF8.self).hasSuffix("/" + name)
        }
    }
}
