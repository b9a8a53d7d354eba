import Autograd
import Compute
import ComputeCPU
import Configuration
import Console
import Foundation
import Models
import Sampling
import Training

/// `tandem bench step`: the time of whole training steps.
func benchStep(arguments: [String]) throws {
    var options = Arguments(
        "tandem bench step",
        about: """
            Times training steps (forward, backward, AdamW) on random frames, and the matrix products of this machine beside them.
            The fastest of the steps counts.
            """, arguments: arguments)
    let size = options.value(
        "--model", "SIZE", "the encoder: \(EncoderConfiguration.presets.keys.sorted().joined(separator: ", "))", default: "s16")
    let decoder = options.value("--decoder", "SIZE", "the decoder: mae, small", default: "mae")
    let batch = options.value("--batch", "N", "pairs a step", default: 16)
    let microBatch = options.value("--micro-batch", "N", "pairs that go through the network at once; 0: the batch", default: 0)
    let precision = options.value("--precision", "PRECISION", "of products: f32 or bf16", default: Precision.f32)
    let steps = options.value("--steps", "N", "steps that are timed, after one that is not", default: 4)
    let threads = options.value("--threads", "N", "threads; 0: one a core", default: 0)
    let asJSON = options.flag("--json", "print one JSON object")
    options.finish()

    var pipeline = Pipeline()
    pipeline.model.size = .preset(size)
    pipeline.model.decoderSize = .preset(decoder)
    pipeline.train.batch = batch
    let encoderNumbers = pipeline.model.encoderNumbers!, decoderNumbers = pipeline.model.decoderNumbers!
    let configuration = SiamMAE.Configuration(
        encoder: EncoderConfiguration(
            imageSize: 224, patchSize: encoderNumbers.patch, width: encoderNumbers.width, depth: encoderNumbers.depth,
            heads: encoderNumbers.heads),
        decoder: .init(width: decoderNumbers.width, depth: decoderNumbers.depth, heads: decoderNumbers.heads))
    let backend = try threads == 0 ? CPUBackend() : CPUBackend(threads: threads)
    let model = SiamMAE(configuration, seed: 1, precision: precision, backend: backend)
    let arena = Arena(backend: backend)
    let visible = Int(Double(configuration.encoder.patchCount) * (1 - 0.95))
    var generator = Noise()
    let frameBytes = 2 * 224 * 224 * 3
    let frames = (0..<batch * frameBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let masks = (0..<batch).flatMap { _ in
        let kept = Set((0..<configuration.encoder.patchCount).shuffled(using: &generator).prefix(visible))
        return (0..<configuration.encoder.patchCount).map { kept.contains($0) ? UInt8(0) : 1 }
    }
    let micro = microBatch == 0 ? batch : microBatch
    var times: [Double] = []
    frames.withUnsafeBufferPointer { frames in
        masks.withUnsafeBufferPointer { masks in
            let pairs = (0..<batch).map {
                FramePair(frames: frames.baseAddress! + $0 * frameBytes, mask: masks.baseAddress! + $0 * configuration.encoder.patchCount)
            }
            for step in 1...steps + 1 {
                let start = monotonicSeconds()
                model.parameters.clearGradients()
                var loss = 0.0
                for first in stride(from: 0, to: batch, by: micro) {
                    loss +=
                        model.accumulateGradients(
                            Array(pairs[first..<first + micro]), share: Float(micro) / Float(batch), arena: arena) * Double(micro)
                        / Double(batch)
                }
                AdamW().update(model.parameters, learningRate: 1e-4, step: step)
                times.append(monotonicSeconds() - start)
                writeError("step \(step) \(times.last!) loss \(loss)\n")
            }
        }
    }
    let best = times.dropFirst().min()!
    let operations = configuration.stepOperations(visible: visible) * Double(batch)
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") } ?? ""
    let n = 2048
    let a = arena.tensor([n, n], precision), b = arena.tensor([n, n], precision), c = arena.tensor([n, n])
    var product = Double.infinity
    for _ in 0..<5 {
        let start = monotonicSeconds()
        backend.product(c, a, b, transposeA: false, transposeB: true)
        product = min(product, monotonicSeconds() - start)
    }
    let top = 2 * pow(Double(n), 3) / product
    _ = asJSON
    print(backend.summary)
    print(
        "pairs/s \(Double(batch) / best)  GFLOP/s \(operations / best * 1e-9) share \(operations / best / top) of \(top * 1e-9)  \(peak) arena \(arena.touchedBytes >> 20) \(arena.capacityInBytes >> 20) MiB  GFLOP/pair \(operations / Double(batch) * 1e-9)"
    )
}

/// Random bits, the same in every run (Knuth's linear congruential generator).
private struct Noise: RandomNumberGenerator {
    private var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
