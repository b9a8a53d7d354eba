import Autograd
import Compute
import Layers
import Sampling
import Training
import WeightFiles

/// Which samples leave out which branches of a transformer's blocks, each crop for itself: a pure function of seed, sample, crop, block and
/// branch. Huang, Sun, Liu, Sedra and Weinberger, "Deep Networks with Stochastic Depth", ECCV 2016, as timm's `DropPath` has it: the chance
/// rises evenly from 0 in the first block, and what is kept is divided by the chance to be kept.
package struct DropPath {
    private let rates: [Double]
    /// Of a fixture of the maths: for each of its steps, block and branch 1 where a crop keeps it, the first crop of all samples before the
    /// second.
    private var given: (globals: [Float], locals: [Float])?

    package init(rate: Double, depth: Int) {
        rates = (0..<depth).map { depth > 1 ? rate * Double($0) / Double(depth - 1) : 0 }
    }

    mutating func take(_ fixture: Safetensors) throws {
        func numbers(_ name: String) throws -> [Float]? {
            fixture.entries[name] == nil ? nil : try fixture.integers(name).map { Float($0) }
        }
        if let globals = try numbers("input.drop") { given = (globals, try numbers("input.drop_local") ?? []) }
    }

    /// What the crops of some samples keep in one pass: the globals of all samples, sample by sample, then the locals.
    package struct Keeps {
        fileprivate let rates: [Double]
        /// For each block and branch, whether each crop keeps it.
        package let isKept: [[[Bool]]]

        /// What the branches of a block are multiplied by; nil where all crops keep them.
        func scales(ofBlock block: Int, _ sequences: SequenceLayout, on tape: Tape) -> Block.BranchScales? {
            guard rates[block] > 0 else { return nil }
            let kept = Float(1 / (1 - rates[block]))
            let branches = isKept[block].map { isKept in
                let scales = tape.arena.tensor([sequences.rows])
                tape.backend.upload(
                    scales,
                    from: (0..<sequences.count).flatMap { [Float](repeating: isKept[$0] ? kept : 0, count: sequences[$0].count) })
                return scales
            }
            return (branches[0], branches[1])
        }
    }

    /// What each crop of some samples keeps; nil where nothing is ever left out.
    ///
    /// - Parameters:
    ///   - samples: their numbers in the run.
    ///   - globals: global crops of each; `locals`: local ones.
    package func keeps(samples: [Int], globals: Int, locals: Int, _ position: RunPosition) -> Keeps? {
        guard rates.contains(where: { $0 > 0 }) else { return nil }
        if let given { return keeps(given, samples: samples.count, globals: globals, locals: locals, step: position.step) }
        // One stream a sample: its crops one after the other, of each the blocks, of each both branches.
        let own = samples.map { sample in
            var stream = RandomStream(seed: position.seed, purpose: .dropPath, ticket: sample)
            return (0..<globals + locals).map { _ in
                rates.map { rate in [stream.uniform01() >= rate, stream.uniform01() >= rate] }
            }
        }
        let crops = own.flatMap { $0.prefix(globals) } + own.flatMap { $0.dropFirst(globals) }
        return Keeps(rates: rates, isKept: rates.indices.map { block in (0..<2).map { branch in crops.map { $0[block][branch] } } })
    }

    private func keeps(_ given: (globals: [Float], locals: [Float]), samples: Int, globals: Int, locals: Int, step: Int) -> Keeps {
        func row(_ numbers: [Float], _ crops: Int, _ block: Int, _ branch: Int) -> [Bool] {
            let first = ((step * rates.count + block) * 2 + branch) * crops * samples
            return (0..<samples).flatMap { sample in (0..<crops).map { numbers[first + $0 * samples + sample] != 0 } }
        }
        return Keeps(
            rates: rates,
            isKept: rates.indices.map { block in
                (0..<2).map { row(given.globals, globals, block, $0) + row(given.locals, locals, block, $0) }
            })
    }
}
