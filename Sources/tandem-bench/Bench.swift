import Base
import Compute
import Console
import Devices
import Foundation
import Recipes

/// `tandem bench`: how fast parts of Tandem are on this machine.
func bench(arguments: [String]) throws {
    let benchmarks = CommandSet(
        "tandem bench", noun: "benchmark", about: "Times parts of Tandem on this machine, beside what the machine can do.",
        [
            ("step", "whole training steps: samples a second, share of the processor's peak, memory", benchStep),
            ("trainers", "several trainers beside one, and what they exchange; forecasts for up to 256 hosts", benchTrainers),
            ("decode", "what a decoder does: samples a second from videos, frames a sample, shares of the time, memory", benchDecode),
            ("views", "what a decoder does for recipes of many views: milliseconds to cut, scale and colour them", benchViews),
            ("dataflow", "samples a second from decoders through the batcher to a trainer, beside raw ZeroMQ", benchDataflow),
            ("propagation", "what an evaluation does: features and propagated labels, seconds a frame, memory", benchPropagation),
            ("ops", "the operations of a step, one by one", benchOps),
            (
                "summary", "steps, their operations and an evaluation in one table: what this processor can do, and the share of it",
                benchSummary
            ),
        ])
    try benchmarks.run(arguments)
}

/// What a benchmark measured.
protocol BenchResult: Encodable {
    /// For people.
    var text: String { get }
}

extension BenchResult {
    /// One JSON object, or the text. Numbers that were measured are finite, so that they can be written.
    func shown(asJSON: Bool) -> String {
        guard asJSON else { return text }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try! encoder.encode(self), as: UTF8.self)
    }
}

extension Backend {
    /// Operations a second of a large square product, the best of several: what a step is measured by.
    func productPeak(_ precision: Precision) -> Double {
        // Rows of 2048 elements fall onto one another in the caches; 1536 and 2016 show what the cores can do.
        [1536, 2016, 2048].map { size in
            let arena = Arena(backend: self)
            let (a, b, c) = (arena.tensor([size, size], precision), arena.tensor([size, size], precision), arena.tensor([size, size]))
            let seconds = fastest(of: 7) { product(c, a, b, transposeA: false, transposeB: false) }
            return 2 * pow(Double(size), 3) / seconds
        }.max()!
    }

    /// Bytes a second, read and written, of an addition that no cache holds.
    func memoryPeak() -> Double {
        let count = 1 << 26
        let arena = Arena(backend: self)
        let (a, b) = (arena.tensor([count]), arena.tensor([count]))
        return Double(3 * 4 * count) / fastest(of: 5) { add(a, b) }
    }

    /// Seconds of the fastest of some calls, after one that does not count, until the device is done with what each asked for.
    func fastest(of count: Int, _ body: () throws -> Void) rethrows -> Double {
        try (0...count).map { _ in
            let start = monotonicSeconds()
            try body()
            synchronize()
            return monotonicSeconds() - start
        }.dropFirst().min()!
    }
}

extension Arguments {
    /// Declares `--recipe`, the recipe whose samples or steps are timed.
    mutating func recipe() -> String {
        let name = value("--recipe", AnyRecipe.names.joined(separator: "|"), "what is trained", default: AnyRecipe().name)
        if AnyRecipe(named: name) == nil { refuse("--recipe wants \(AnyRecipe.names.joined(separator: " or ")), not '\(name)'") }
        return name
    }
}
