import Base
import Compute
import Configuration
import Console
import Devices
import Foundation
import Ranks
import Recipes
import Sampling
import Training

/// `tandem bench step`: the time of whole training steps.
func benchStep(arguments: [String]) throws {
    var options = Arguments(
        "tandem bench step",
        about: """
            Times training steps (forward, backward, optimizer) on random frames. The fastest one counts; the first does not. Beside it
            stand the matrix products that this machine computes, measured in the same run.
            """, arguments: arguments)
    let recipe = options.recipe()
    let size = options.value("--model", "NAME", "the encoder, as model.size names it", default: "s16")
    let decoderSize: String? = options.value("--decoder", "NAME", "the decoder, as model.decoderSize names it; default: the recipe's")
    let batch = options.value("--batch", "N", "samples a step", default: 16)
    let microBatch = options.value(
        "--micro-batch", "N", "samples that go through the network at once; 0: up to 4, or all where the recipe norms batches", default: 0)
    let precision = options.value("--precision", "f32|bf16", "of products", default: Precision.f32)
    let recompute = options.flag("--recompute", "compute activations again in the backward pass instead of keeping them")
    let steps = options.value("--steps", "N", "steps that are timed", default: 4)
    let threads = options.threads()
    let overrides = options.values(
        "--set", "KEY=VALUE", "a key of the pipeline, such as sampling.imageSize=64; may stand several times")
    let isProfiled = options.flag("--profile", "tell what each operation takes of a step")
    let asJSON = options.flag("--json", "print one JSON object")
    if steps < 1 { options.refuse("--steps wants 1 or more") }
    options.finish()

    let ofBatches = AnyRecipe(named: recipe).map { type(of: $0.value).normsBatches } ?? false
    let atOnce = microBatch != 0 ? microBatch : ofBatches ? batch : largestDivisor(of: batch, upTo: 4)
    // As in a run: the same checks, the same model.
    let pipeline = try Pipeline.parse(
        "{}", source: "the options",
        overrides: [
            "recipe=\(recipe)", "model.size=\(size)", "train.batch=\(batch)", "train.precision=\(precision)",
            "train.microBatch=\(atOnce)", "train.recompute=\(recompute)",
        ] + (decoderSize.map { ["model.decoderSize=\($0)"] } ?? []) + overrides)
    let backend = try Device.cpu.makeBackend(threads: threads, for: precision)
    let profile = isProfiled ? ProfiledBackend(backend) : nil
    let bench = try StepBench(pipeline, profile ?? backend, profile)
    let result = try bench.run(steps: steps) { if !asJSON { writeError($0 + "\n") } }
    print(result.shown(asJSON: asJSON))
}

/// Measured training steps.
struct StepResult: BenchResult, Decodable {
    var device: String
    var precision: Precision
    var activations: Precision
    var batch: Int
    var microBatch: Int
    var samplesPerSecond: Double
    /// Billions of operations a second of the model's arithmetic.
    var gflops: Double
    /// The same of a large matrix product.
    var peakGflops: Double
    var shareOfPeak: Double
    /// The most memory that the process took.
    var peakBytes: Int
    /// What was forecast for it before the first step.
    var forecastBytes: Int
    /// What each operation takes of the last step, the dearest first; empty if nobody asked.
    var operations: [Operation]

    struct Operation: Codable {
        var name: String
        var calls: Int
        var seconds: Double
        var share: Double
    }

    var text: String {
        """
        \(device)
        \(batch) samples a step, \(microBatch) at once, \(ModelPrecision(products: precision, activations: activations))
          \(String(format: "%8.2f", samplesPerSecond)) samples/s
          \(String(format: "%8.1f", gflops)) GFLOP/s of the model's arithmetic, \(String(format: "%.0f", shareOfPeak * 100)) % of \
        \(String(format: "%.1f", peakGflops)) GFLOP/s for large products of matrices
          \(formatBytes(peakBytes)) of memory at the highest, \(formatBytes(forecastBytes)) forecast
        """
            + operations.map { operation in
                "\n  " + operation.name.padding(toLength: 26, withPad: " ", startingAt: 0)
                    + String(format: "%5d calls %9.2f ms %5.1f %%", operation.calls, operation.seconds * 1e3, operation.share * 100)
            }.joined()
    }
}

/// A recipe, and random samples to train it on.
struct StepBench {
    let pipeline: Pipeline
    let backend: any Backend
    let recipe: any Recipe
    let samples: RandomSamples
    let forecast: Int
    private let exchange: StepExchange
    private let profile: ProfiledBackend?

    /// - Parameters:
    ///   - profile: the backend, where it measures its operations.
    ///   - ranks: those that share the steps.
    init(_ pipeline: Pipeline, _ backend: any Backend, _ profile: ProfiledBackend? = nil, ranks: any Ranks = Alone()) throws {
        self.pipeline = pipeline
        self.backend = backend
        self.profile = profile
        samples = RandomSamples(of: pipeline.recipe.value.sampler, count: pipeline.train.batch)
        let before = SystemMemory.resident
        recipe = pipeline.makeRecipe(on: backend)
        exchange = StepExchange(ranks, recipe.parameters, pipeline.train.cut)
        let step = StepForecast(recipe, samples: pipeline.train.cut.microBatch, recomputes: pipeline.train.recompute)
        forecast = before + step.total + exchange.addedBytes
    }

    func run(steps: Int, _ tell: (String) -> Void) throws -> StepResult {
        let (batch, cut) = (pipeline.train.batch, pipeline.train.cut)
        let (arena, sums, optimizer) = (
            Arena(backend: backend), StepSums(of: recipe, shards: exchange.shards), Optimizer(AdamW(pipeline.train))
        )
        var (number, operations) = (0, [StepResult.Operation]())
        let seconds = try samples.withBlocks { samples in
            try backend.fastest(of: steps) {
                let start = monotonicSeconds()
                number += 1
                profile?.reset()
                sums.clear()
                recipe.beginStep(
                    RunPosition(
                        step: number - 1, totalSteps: steps + 1, progress: 0, epochs: pipeline.train.epochs, seed: pipeline.seed))
                let shards = cut.passes(ofShards: exchange.shards, stepSize: batch)
                let last = shards.joined().last
                for passes in shards {
                    for pass in passes {
                        if pass == last { exchange.begin(sums) }
                        recipe.accumulateGradients(
                            Array(samples[pass]), share: Float(pass.count) / Float(batch),
                            recomputes: pipeline.train.recompute, addingTo: sums.loss, arena: arena,
                            completing: pass == last ? exchange.complete : nil)
                    }
                    sums.finishShard()
                }
                let reading = try sums.read(with: exchange)
                optimizer.update(
                    recipe.parameters, recipe.rules, learningRate: 1e-4, progress: 0, gradientSquares: reading.gradientSquares,
                    step: number, parts: exchange.parts)
                try exchange.shareValues()
                recipe.finishStep()
                let seconds = monotonicSeconds() - start
                operations = profile.map { Self.operations($0, of: seconds) } ?? []
                tell(String(format: "step %d: %.3f s, loss %.4f", number, seconds, reading.loss))
            }
        }
        let highest = SystemMemory.highWaterMark
        let rate = pipeline.recipe.operationsPerSample * Double(batch) / seconds
        let peak = backend.productPeak(pipeline.train.precision)
        return StepResult(
            device: backend.summary, precision: pipeline.train.precision, activations: pipeline.train.modelPrecision.activations,
            batch: batch, microBatch: cut.microBatch,
            samplesPerSecond: Double(batch) / seconds, gflops: rate / 1e9, peakGflops: peak / 1e9, shareOfPeak: rate / peak,
            peakBytes: highest, forecastBytes: forecast, operations: operations)
    }

    /// The operations of a step, and what lies between them: together the whole step.
    private static func operations(_ profile: ProfiledBackend, of seconds: Double) -> [StepResult.Operation] {
        let rest = seconds - profile.costs.values.reduce(0) { $0 + $1.seconds }
        let calls = profile.costs.values.reduce(0) { $0 + $1.calls }
        let all = profile.costs.map { ($0.key, $0.value) } + [("between operations", ProfiledBackend.Cost(calls: calls, seconds: rest))]
        return all.sorted { $0.1.seconds > $1.1.seconds }.map { name, cost in
            StepResult.Operation(name: name, calls: cost.calls, seconds: cost.seconds, share: cost.seconds / seconds)
        }
    }
}

/// The largest number up to `limit` that divides `number`.
private func largestDivisor(of number: Int, upTo limit: Int) -> Int {
    (1...limit).last { number % $0 == 0 }!
}
