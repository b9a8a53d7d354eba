import Autograd
import Compute
import Layers
import Models

/// iBOT's head: three linear layers, rows of length 1, and a last layer whose weights are normalised row by row; one for CLS and one for patches,
/// or one for both. The last layer is computed in f32 always: a softmax divides what it makes by some hundredths.
///
/// Source: bytedance/ibot models/head.py, `iBOTHead`.
struct DistributionHead {
    private let mlp: [Linear]
    private let last: LastLayer
    private let lastOfPatches: LastLayer?

    /// Row `k` of its weight is `weight_g[k] · weight_v[k] / |weight_v[k]|`.
    private struct LastLayer {
        let gain: Parameter
        let direction: Parameter
        let trainsGain: Bool

        init(_ parameters: Parameters, in: Int, out: Int, trainsGain: Bool) {
            gain = parameters.make("weight_g", [out, 1], .ones)
            direction = parameters.make("weight_v", [out, `in`], .frameworkDefault(in: `in`))
            self.trainsGain = trainsGain
        }

        func weight(on tape: Tape) -> Variable {
            let gains = trainsGain ? tape.variable(gain) : Variable(gain.value)
            return tape.unitRows(tape.variable(direction), gains: gains, .f32)
        }
    }

    init(_ parameters: Parameters, _ model: IBOT.Model, in width: Int, isShared: Bool) {
        let widths = [width, model.headWidth, model.headWidth, model.bottleneck]
        mlp = (0..<3).map { Linear(parameters["mlp", 2 * $0], in: widths[$0], out: widths[$0 + 1]) }
        func layer(_ name: String, _ out: Int) -> LastLayer {
            LastLayer(parameters[name], in: model.bottleneck, out: out, trainsGain: model.trainsGain)
        }
        last = layer("last_layer", model.outputs)
        lastOfPatches = isShared ? nil : layer("last_layer2", model.patchOutputs)
    }

    /// Tokens after their last norm as rows of length 1, which the last layers read.
    private func directions(_ x: Variable, on tape: Tape) -> Variable {
        let y = mlp[2](mlp[1].gelu(mlp[0].gelu(x, on: tape), on: tape), on: tape)
        return tape.unitRows(y, .f32)
    }

    /// The weights of the last layers.
    private func weights(on tape: Tape) -> (cls: Variable, patches: Variable) {
        let cls = last.weight(on: tape)
        return (cls, lastOfPatches?.weight(on: tape) ?? cls)
    }

    /// What is said of some tokens, before any softmax: `[cls.count, outputs]` and `[patches.count, patch outputs]`; nil without patches.
    ///
    /// - Parameters:
    ///   - tokens: before the encoder's last norm.
    ///   - cls: the rows of CLS; `patches`: those of patches.
    func callAsFunction(
        of tokens: Variable, cls: [Int32], patches: [Int32], norm encoder: VisionTransformer, on tape: Tape
    ) -> (cls: Variable, patches: Variable?) {
        let chosen = encoder.normalize(tape.selectRows(tokens, sources: tape.arena.indices(cls + patches)), on: tape)
        let (rows, weights) = (directions(chosen, on: tape), weights(on: tape))
        func said(_ range: Range<Int>, _ weight: Variable) -> Variable { tape.product(tape.rows(rows, range), transposed: weight) }
        let all = cls.count + patches.count
        return (said(0..<cls.count, weights.cls), patches.isEmpty ? nil : said(cls.count..<all, weights.patches))
    }

    /// The same of all sequences' CLS and of hidden patches, and the mean of what is said of all patches: the last layer is linear, so that
    /// it need not be computed for each.
    ///
    /// - Parameters:
    ///   - tokens: after the encoder's last norm.
    ///   - hidden: rows of patches.
    func teach(
        _ tokens: Variable, _ sequences: SequenceLayout, hidden: [Int32], on tape: Tape
    ) -> (cls: Tensor, patches: Tensor?, patchMean: Tensor) {
        let (rows, weights) = (directions(tokens, on: tape), weights(on: tape))
        func chosen(_ sources: [Int32]) -> Tensor { tape.arena.rows(sources, of: rows.value) }
        func said(_ x: Tensor, _ weight: Variable) -> Tensor { tape.product(Variable(x), transposed: weight).value }
        let cls = chosen((0..<sequences.count).map { Int32(sequences[$0].lowerBound) })
        let mean = tape.arena.mean(ofRows: chosen(sequences.rowsWithoutFirst))
        return (
            said(cls, weights.cls), hidden.isEmpty ? nil : said(chosen(hidden), weights.patches),
            said(mean, weights.patches)
        )
    }
}

extension Arena {
    /// `share ·` the mean of all rows, `[1, width]`.
    func mean(ofRows x: Tensor, share: Float = 1) -> Tensor {
        let (mean, weights) = (tensor([1, x.columns]), tensor([1, x.rows]))
        backend.fill(weights, share / Float(x.rows))
        backend.product(mean, weights, x, transposeA: false, transposeB: false)
        return mean
    }
}
