import Base
import Compute
import Console
import Devices
import Foundation

/// `tandem bench summary`: one table of what this processor can do, and of what is made of it.
func benchSummary(arguments: [String]) throws {
    var options = Arguments(
        "tandem bench summary",
        about: """
            Runs 'tandem bench step', 'ops' and 'propagation', each by itself, in f32 and where the processor multiplies it in bf16, and prints
            one table: what is computed in a second, the most that large products of matrices, or additions in memory, reach here, and the
            share of it.
            """, arguments: arguments)
    let threads = options.threads()
    options.finish()

    let backend = try Device.cpu.makeBackend(threads: threads)
    print("\(processorName); \(backend.summary)")
    for precision in Precision.allCases where precision == .f32 || backend.fastestPrecision == precision {
        let table = Summary(precision: precision, threads: threads)
        table.printHeading()
        let step = try table.results("step", as: StepResult.self)[0]
        table.printRow(
            "step of SiamMAE S/16", String(format: "%.2f samples/s", step.samplesPerSecond), step.gflops, "GFLOP/s", of: step.peakGflops)
        for operation in try table.results("ops", as: OpResult.self) {
            table.printRow(
                "  \(operation.name) \(operation.size)", String(format: "%.0f µs", operation.seconds * 1e6), operation.rate, operation.unit,
                of: operation.rate / operation.shareOfPeak)
        }
        let frame = try table.results("propagation", as: PropagationResult.self)[0]
        table.printRow(
            "features of a frame of 480x880", String(format: "%.3f s", frame.featuresSeconds), frame.featuresGflops, "GFLOP/s",
            of: step.peakGflops)
        // Cells are compared in f32, whatever the encoder's precision.
        if precision == .f32 {
            table.printRow(
                "its labels, of 21 frames", String(format: "%.3f s", frame.propagationSeconds), frame.propagationGflops, "GFLOP/s",
                of: step.peakGflops)
        }
    }
}

/// The rows of one precision.
private struct Summary {
    let precision: Precision
    let threads: Int

    /// What a benchmark says that runs in a process of its own.
    func results<Result: Decodable>(_ benchmark: String, as type: Result.Type) throws -> [Result] {
        let arguments = [benchmark, "--precision", "\(precision)", "--threads", "\(threads)", "--json"]
        let (status, output) = try runSibling("tandem-bench", arguments)
        guard status == 0 else { throw Failure("'tandem bench \(arguments.joined(separator: " "))' failed, with \(status)") }
        return try output.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(type, from: $0) }
    }

    func printHeading() {
        print()
        printColumns("\(precision)", ["time", "rate", "", "the most", "share"])
    }

    func printRow(_ name: String, _ time: String, _ rate: Double, _ unit: String, of peak: Double) {
        printColumns(
            name,
            [time, String(format: "%.1f", rate), unit, String(format: "%.1f", peak), String(format: "%.0f %%", rate / peak * 100)])
    }

    private func printColumns(_ name: String, _ columns: [String]) {
        let widths = [15, 9, 8, 10, 8]
        let padded = zip(columns, widths).map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }
        print(name.padding(toLength: 36, withPad: " ", startingAt: 0) + padded.joined())
        fflush(nil)
    }
}

/// The processor's name, where the system tells it.
var processorName: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "a processor without a name"
}
