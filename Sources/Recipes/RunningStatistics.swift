import Compute
import Layers
import Training

/// The running means and variances of batch norms, as PyTorch keeps them. They are part of a checkpoint, and nothing reads them in training.
final class RunningStatistics {
    private struct Entry {
        let norm: BatchNorm
        let prefix: String
        let mean, variance, count: Tensor
    }

    private let entries: [Entry]
    private let backend: any Backend
    /// Of each norm the statistics of the step's forward passes so far.
    private var pending: [[(statistics: Tensor, rows: Int)]]

    /// The share of a running value that a forward pass leaves.
    private static let keeping = 0.9

    /// - Parameter norms: each with what stands in front of its names in checkpoints.
    init(_ norms: [(prefix: String, norm: BatchNorm)], backend: any Backend) {
        self.backend = backend
        pending = norms.map { _ in [] }
        entries = norms.map { prefix, norm in
            let variance = backend.tensor([norm.width])
            backend.fill(variance, 1)
            return Entry(norm: norm, prefix: prefix, mean: backend.tensor([norm.width]), variance: variance, count: backend.tensor([]))
        }
    }

    /// Forgets forward passes of a step that was not finished.
    func beginStep() { pending = entries.map { _ in [] } }

    /// Notes the statistics of a forward pass.
    func noteForwardPass() {
        for (index, entry) in entries.enumerated() { pending[index].append(entry.norm.last!) }
    }

    /// The statistics of the step's forward passes so far in numbers, pass by pass: of each norm mean, variance and rows.
    var passes: [Float] {
        get {
            (0..<(pending.first?.count ?? 0)).flatMap { pass in
                pending.flatMap { backend.download($0[pass].statistics) + [Float($0[pass].rows)] }
            }
        }
        set {
            beginStep()
            var rest = newValue[...]
            while !rest.isEmpty {
                for (index, entry) in entries.enumerated() {
                    let statistics = backend.tensor([2 * entry.norm.width])
                    backend.upload(statistics, from: Array(rest.prefix(statistics.count)))
                    pending[index].append((statistics, Int(rest[rest.startIndex + statistics.count])))
                    rest = rest.dropFirst(statistics.count + 1)
                }
            }
        }
    }

    /// Moves the running values by the step's forward passes, one after the other.
    func finishStep() {
        for (entry, passes) in zip(entries, pending) {
            let width = entry.norm.width
            for (statistics, rows) in passes {
                backend.blend(entry.mean, statistics.elements(0..<width), keeping: Self.keeping)
                let unbiased = backend.tensor([1, width]), factor = backend.tensor([1])
                backend.fill(factor, Float(rows) / Float(max(1, rows - 1)))
                backend.scaleRows(unbiased, statistics.elements(width..<2 * width).reshaped([1, width]), scales: factor, residual: nil)
                backend.blend(entry.variance, unbiased, keeping: Self.keeping)
            }
            backend.fill(entry.count, backend.download(entry.count)[0] + Float(passes.count))
        }
        beginStep()
    }

    var state: [StateArray] {
        entries.flatMap { entry in
            let path = entry.prefix + entry.norm.path
            return [
                StateArray(path + "running_mean", entry.mean), StateArray(path + "running_var", entry.variance),
                StateArray(path + "num_batches_tracked", entry.count, isCount: true),
            ]
        }
    }
}
