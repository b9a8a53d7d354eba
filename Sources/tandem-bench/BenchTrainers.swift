import Autograd
import Base
import Compute
import Configuration
import Console
import Devices
import Foundation
import Ranks
import Recipes
import Training

/// `tandem bench trainers`: several trainers beside one with all threads.
func benchTrainers(arguments: [String]) throws {
    var options = Arguments(
        "tandem bench trainers",
        about: """
            Times training steps of one trainer with all threads and of several that share them, in turn, and the exchange of gradients and values
            beside MPI's own sum (MPI_Allreduce), which gives every rank all gradients. Needs MPI: see 'make mpi'. Under a launcher of MPI, with
            --part, each process is one of the trainers, on whichever host.
            """, arguments: arguments)
    let recipe = options.recipe()
    let size = options.value("--model", "NAME", "the encoder, as model.size names it", default: "s16")
    let batch = options.value("--batch", "N", "samples a step", default: 64)
    let ranks = options.value("--ranks", "N", "trainers", default: 2)
    let parameters = options.value("--parameters", "MILLIONS", "parameters that are exchanged", default: 55.8)
    let rounds = options.value("--rounds", "N", "turns, of which the medians count", default: 3)
    let threads = options.threads()
    let overrides = options.values("--set", "KEY=VALUE", "a key of the pipeline, such as sampling.imageSize=64; may stand several times")
    let part: TrainersPart? = options.value("--part", "steps|exchange", "what a process measures that a launcher has started")
    let isSimulated = options.flag("--simulate", "forecast steps on 1 to 256 hosts of this kind, on paper")
    let bandwidth = options.value("--bandwidth", "GB/S", "of each host's network, for the forecast", default: 1.25)
    let latency = options.value("--latency", "MICROSECONDS", "of a message, for the forecast", default: 50.0)
    let stragglers = options.value("--stragglers", "PERCENT", "by how much hosts differ from step to step, for the forecast", default: 3.0)
    let asJSON = options.flag("--json", "print one JSON object")
    if ranks < 2 { options.refuse("--ranks wants 2 or more") }
    if rounds < 1 { options.refuse("--rounds wants 1 or more") }
    if !(parameters > 0 && bandwidth > 0 && latency >= 0 && stragglers >= 0) { options.refuse("sizes and times are above 0") }
    options.finish()

    let shards = Shards.usual(forTrainers: ranks)
    let pipeline = try Pipeline.parse(
        "{}", source: "the options",
        overrides: ["recipe=\(recipe)", "model.size=\(size)", "train.batch=\(batch)", "train.microBatch=4", "train.shards=\(shards)"]
            + overrides)
    if let part {
        let launched = try MPI.launched() ?? 1
        let mpi = try launched > 1 ? MPI(library: MPI.libraryPath(beside: programFolder), launched: launched, timeout: 600) : nil
        let backend = try Device.cpu.makeBackend(threads: threads, for: pipeline.train.precision)
        let team: any Ranks = mpi ?? Alone()
        switch part {
        case .steps:
            let result = try StepBench(pipeline, backend, ranks: team).run(steps: 3) { _ in }
            if team.rank == 0 { print(result.shown(asJSON: asJSON)) }
        case .exchange:
            guard let mpi else { throw Failure("an exchange wants several trainers: start them by a launcher of MPI") }
            let result = try ExchangeResult(mpi, count: Int(parameters * 1e6), backend)
            if team.rank == 0 { print(result.shown(asJSON: asJSON)) }
        }
        mpi?.close()
        return
    }

    let cores = threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount
    let model = ["--recipe", recipe, "--model", size, "--batch", "\(batch)", "--ranks", "\(ranks)"] + overrides.flatMap { ["--set", $0] }
    var (alone, shared, exchanges) = ([StepResult](), [StepResult](), [ExchangeResult]())
    for round in 1...rounds {
        if !asJSON { writeError("round \(round) of \(rounds)\n") }
        alone.append(try measure(model + ["--part", "steps", "--threads", "\(cores)"], ranks: 1))
        shared.append(try measure(model + ["--part", "steps", "--threads", "\(max(1, cores / ranks))"], ranks: ranks))
        exchanges.append(
            try measure(
                ["--parameters", "\(parameters)", "--part", "exchange", "--threads", "\(max(1, cores / ranks))"], ranks: ranks))
    }
    var result = TrainersResult(alone: alone, shared: shared, exchanges: exchanges, ranks: ranks)
    if isSimulated {
        result.forecast = ClusterForecast.rows(
            stepSeconds: Double(batch) / result.alone.samplesPerSecond, batch: batch, parameters: pipeline.recipe.parameterCounts.all,
            bandwidth: bandwidth * 1e9, latency: latency * 1e-6, stragglers: stragglers / 100)
    }
    print(result.shown(asJSON: asJSON))
}

enum TrainersPart: String, CaseIterable, LosslessStringConvertible {
    case steps, exchange

    init?(_ description: String) { self.init(rawValue: description) }
    var description: String { rawValue }
}

/// Starts this benchmark as some ranks and takes what the first one prints.
private func measure<Result: Decodable>(_ arguments: [String], ranks: Int) throws -> Result {
    let launcher = ranks == 1 ? [] : try MPI.launcher(of: ranks, library: MPI.libraryPath(beside: programFolder))
    let process = try siblingProcess("tandem-bench", ["trainers", "--json"] + arguments, by: launcher)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure("tandem-bench trainers ended with \(process.terminationStatus)") }
    return try JSONDecoder().decode(Result.self, from: bytes)
}

/// How long gradients and values take between ranks.
struct ExchangeResult: BenchResult, Codable {
    var seconds: Double
    /// Of `MPI_Allreduce` of as many numbers.
    var allreduceSeconds: Double
    var library: String

    /// The fastest of several, in turn.
    init(_ mpi: MPI, count: Int, _ backend: any Backend) throws {
        let store = ParameterStore([("weight", [count / 64, 64])], backend: backend)
        // A shard each, where that is possible: what a trainer adds up of its own shards is no exchange.
        let exchange = StepExchange(mpi, store, Shards(count: Shards.fewest(forTrainers: mpi.count), microBatch: 1))
        let numbers = backend.tensor([store.count])
        (seconds, allreduceSeconds, library) = (.infinity, .infinity, mpi.summary)
        let sums = StepSums(of: store, shards: exchange.shards)
        for _ in exchange.shards.dropLast() { sums.finishShard() }
        for _ in 0..<6 {
            backend.fill(numbers, 1)
            _ = try mpi.all([UInt8(0)])
            var begin = monotonicSeconds()
            try exchange.addUp(sums)
            try exchange.shareValues()
            seconds = min(seconds, monotonicSeconds() - begin)
            _ = try mpi.all([UInt8(0)])
            begin = monotonicSeconds()
            try mpi.addUp(numbers.address.assumingMemoryBound(to: Float.self), count: numbers.count)
            allreduceSeconds = min(allreduceSeconds, monotonicSeconds() - begin)
        }
    }

    var text: String {
        String(
            format: "exchange %.0f ms, MPI_Allreduce %.0f ms: %.2f (%@)", seconds * 1e3, allreduceSeconds * 1e3, seconds / allreduceSeconds,
            library)
    }
}

/// What `tandem bench trainers` shows.
private struct TrainersResult: BenchResult {
    var alone: StepResult
    var shared: StepResult
    var exchange: ExchangeResult
    var ranks: Int
    var forecast: [ClusterForecast] = []

    init(alone: [StepResult], shared: [StepResult], exchanges: [ExchangeResult], ranks: Int) {
        func median(_ results: [StepResult]) -> StepResult {
            results.sorted { $0.samplesPerSecond < $1.samplesPerSecond }[results.count / 2]
        }
        (self.alone, self.shared, self.ranks) = (median(alone), median(shared), ranks)
        exchange = exchanges.sorted { $0.seconds / $0.allreduceSeconds < $1.seconds / $1.allreduceSeconds }[exchanges.count / 2]
    }

    var text: String {
        func line(_ name: String, _ result: StepResult) -> String {
            String(
                format: "  %@ %8.2f samples/s  %@ of memory each, %@ forecast", name.padding(toLength: 12, withPad: " ", startingAt: 0),
                result.samplesPerSecond, formatBytes(result.peakBytes), formatBytes(result.forecastBytes))
        }
        let lines = [
            "\(processorName); \(alone.device)", "\(alone.batch) samples a step, \(alone.microBatch) at once", line("1 trainer", alone),
            line("\(ranks) trainers", shared) + String(format: ": %.3f of one", shared.samplesPerSecond / alone.samplesPerSecond),
            "  " + exchange.text,
        ]
        return (lines + (forecast.isEmpty ? [] : [ClusterForecast.heading] + forecast.map(\.text))).joined(separator: "\n")
    }
}
