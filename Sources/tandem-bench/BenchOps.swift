import Compute
import Console
import Devices
import Foundation

/// `tandem bench ops`: the operations of a training step.
func benchOps(arguments: [String]) throws {
    var options = Arguments(
        "tandem bench ops",
        about: """
            Times each operation of a training step, by default at the sizes of ViT-S/16's encoder of a pair. Products are measured by \
            the large product that this machine computes, in GFLOP/s; all else by the memory that it moves, in GB/s. What stays in \
            the caches exceeds the latter.
            """, arguments: arguments)
    let samples = options.value("--micro-batch", "N", "samples that go through the network at once", default: 4)
    let tokens = options.value("--tokens", "N,N", "tokens of each sample, sequence by sequence", default: "197,10")
    let width = options.value("--width", "N", "numbers per token", default: 384)
    let heads = options.value("--heads", "N", "attention heads", default: 6)
    let precision = options.value("--precision", "f32|bf16", "of products", default: Precision.f32)
    let threads = options.threads()
    let asJSON = options.flag("--json", "print one JSON object a line")
    if samples < 1 { options.refuse("--micro-batch wants 1 or more, not \(samples)") }
    let lengths = tokens.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    if lengths.contains(where: { $0 < 1 }) { options.refuse("--tokens wants numbers of 1 or more with commas between, not '\(tokens)'") }
    if width < 1 || heads < 1 || width % heads != 0 { options.refuse("--width \(width) is no multiple of --heads \(heads)") }
    options.finish()

    let sequences = SequenceLayout(lengths: lengths.flatMap { Array(repeating: $0, count: samples) })
    let bench = OpsBench(
        try Device.cpu.makeBackend(threads: threads, for: precision), precision, sequences, width: width, heads: heads)
    if !asJSON {
        print("\(bench.backend.summary), \(samples) samples, \(precision)")
        print(String(format: "peaks: %.1f GFLOP/s of products, %.1f GB/s of memory", bench.productPeak / 1e9, bench.memoryPeak / 1e9))
        print("\n  operation                 size                   µs     rate        of peak")
    }
    bench.run { result in print(result.shown(asJSON: asJSON)) }
}

/// One operation's time.
struct OpResult: BenchResult, Decodable {
    var name: String
    var size: String
    var seconds: Double
    /// GFLOP/s of products, GB/s of all else.
    var rate: Double
    var unit: String
    var shareOfPeak: Double

    var text: String {
        "  " + name.padding(toLength: 26, withPad: " ", startingAt: 0) + size.padding(toLength: 18, withPad: " ", startingAt: 0)
            + String(format: "%8.0f %8.1f ", seconds * 1e6, rate) + unit.padding(toLength: 8, withPad: " ", startingAt: 0)
            + String(format: "%5.0f %%", shareOfPeak * 100)
    }
}

/// The tensors of a layer of the encoder, and each operation on them.
private struct OpsBench {
    let backend: any Backend
    let precision: Precision
    let productPeak: Double
    let memoryPeak: Double
    private let arena: Arena
    private let sequences: SequenceLayout
    private let heads: Int
    private let width: Int
    private var rows: Int { sequences.rows }

    init(_ backend: any Backend, _ precision: Precision, _ sequences: SequenceLayout, width: Int, heads: Int) {
        (self.backend, self.precision, self.sequences, self.width, self.heads) = (backend, precision, sequences, width, heads)
        productPeak = backend.productPeak(precision)
        memoryPeak = backend.memoryPeak()
        arena = Arena(backend: backend)
    }

    func run(_ tell: (OpResult) -> Void) {
        products(tell)
        attention(tell)
        elements(tell)
    }

    private func products(_ tell: (OpResult) -> Void) {
        let hidden = 4 * width
        let (x, h, derivative) = (operand([rows, width]), operand([rows, hidden]), operand([rows, hidden]))
        let (y, residual) = (full([rows, width]), full([rows, width]))
        let (wide, narrow) = (operand([hidden, width]), operand([width, hidden]))
        let (bias, short) = (full([hidden]), full([width]))
        let (dWide, dBias) = (full([hidden, width]), full([hidden]))
        let work = 2 * Double(rows * width * hidden), size = "\(rows)x\(width)x\(hidden)"
        product("linear", size, operations: work, tell: tell) { backend.linear(h, x, weight: wide, bias: bias) }
        product("linearGELU", size, operations: work, tell: tell) {
            backend.linearGELU(h, derivative: derivative, x, weight: wide, bias: bias)
        }
        product("linearResidual", size, operations: work, tell: tell) {
            backend.linearResidual(y, h, residual: residual, weight: narrow, bias: short)
        }
        product("linearBackwardInput", size, operations: work, tell: tell) {
            backend.linearBackwardInput(x, h, weight: wide, accumulates: false)
        }
        product("linearBackwardWeight", size, operations: work, tell: tell) { backend.linearBackwardWeight(dWide, dBias: dBias, h, x) }
    }

    private func attention(_ tell: (OpResult) -> Void) {
        let (qkv, dQKV, y, dy) = (
            operand([rows, 3 * width]), operand([rows, 3 * width]), operand([rows, width]), operand([rows, width])
        )
        let logSumExp = full([heads, rows])
        func columns(_ matrix: Tensor) -> [Columns] { (0..<3).map { Columns(matrix, $0 * width..<($0 + 1) * width) } }
        let (own, gradients) = (columns(qkv), columns(dQKV))
        let scores = (0..<sequences.count).reduce(0) { $0 + sequences[$1].count * sequences[$1].count }
        let work = 4 * Double(scores * width), size = "\(sequences.count)x\(heads) heads"
        product("attention", size, operations: work, tell: tell) {
            backend.attention(
                y, logSumExp: logSumExp, query: own[0], key: own[1], value: own[2], queries: sequences, keys: sequences, heads: heads)
        }
        product("attentionBackward", size, operations: 2.5 * work, tell: tell) {
            backend.attentionBackward(
                dQuery: gradients[0], dKey: gradients[1], dValue: gradients[2], dy, y, logSumExp: logSumExp, query: own[0], key: own[1],
                value: own[2], queries: sequences, keys: sequences, heads: heads)
        }
    }

    private func elements(_ tell: (OpResult) -> Void) {
        let hidden = 4 * width, bytes = precision.byteCount
        let (x, y, dx, statistics) = (full([rows, width]), operand([rows, width]), full([rows, width]), full([rows, 2]))
        let (weight, bias, dWeight, dBias) = (full([width]), full([width]), full([width]), full([width]))
        let (h, derivative) = (operand([rows, hidden]), operand([rows, hidden]))
        let size = "\(rows)x\(width)"
        moving("layerNorm", size, bytes: rows * width * (4 + bytes), tell: tell) {
            backend.layerNorm(y, statistics: statistics, x, weight: weight, bias: bias, epsilon: 1e-6)
        }
        moving("layerNormBackward", size, bytes: rows * width * 16, tell: tell) {
            backend.layerNormBackward(
                dx, dWeight: dWeight, dBias: dBias, x, x, statistics: statistics, weight: weight, accumulates: true)
        }
        moving("multiply", "\(rows)x\(hidden)", bytes: rows * hidden * 3 * bytes, tell: tell) { backend.multiply(h, derivative) }
        moving("add", size, bytes: rows * width * 12, tell: tell) { backend.add(dx, x) }

        let count = 22_000_000
        let (values, gradients, m, v) = (full([count]), full([count]), full([count]), full([count]))
        moving("adamW", "\(count)", bytes: count * 28, tell: tell) {
            backend.adamW(
                values: values, gradients: gradients, firstMoments: m, secondMoments: v, learningRate: 1e-4, beta1: 0.9, beta2: 0.95,
                epsilon: 1e-8, weightDecay: 0.05, step: 1, gradientScale: 1)
        }
        guard precision == .bf16 else { return }
        let rounded = operand([count])
        moving("round", "\(count)", bytes: count * 6, tell: tell) { backend.round(rounded, values) }
    }

    private func product(_ name: String, _ size: String, operations: Double, tell: (OpResult) -> Void, body: () -> Void) {
        let seconds = backend.fastest(of: 20, body)
        tell(
            OpResult(
                name: name, size: size, seconds: seconds, rate: operations / seconds / 1e9, unit: "GFLOP/s",
                shareOfPeak: operations / seconds / productPeak))
    }

    private func moving(_ name: String, _ size: String, bytes: Int, tell: (OpResult) -> Void, body: () -> Void) {
        let seconds = backend.fastest(of: 20, body)
        tell(
            OpResult(
                name: name, size: size, seconds: seconds, rate: Double(bytes) / seconds / 1e9, unit: "GB/s",
                shareOfPeak: Double(bytes) / seconds / memoryPeak))
    }

    private func full(_ shape: [Int]) -> Tensor { filled(arena.tensor(shape)) }
    private func operand(_ shape: [Int]) -> Tensor { filled(arena.tensor(shape, precision)) }

    /// Small numbers: what was in the memory before could be too small or too large to compute with at full speed.
    private func filled(_ tensor: Tensor) -> Tensor {
        let ones = arena.tensor(tensor.shape)
        backend.fill(ones, 0.01)
        guard tensor.precision == .bf16 else {
            backend.fill(tensor, 0.01)
            return tensor
        }
        backend.round(tensor, ones)
        return tensor
    }
}
