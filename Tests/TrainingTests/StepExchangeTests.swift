import Autograd
import Base
import Compute
import Foundation
import TestBackends
import TestSupport
import Testing
import Training

/// Ranks that are threads of this process train as one trainer does.
struct StepExchangeTests {
    private static let shards = 8
    /// Some parameters span blocks of sums, and ranks' parts end within others.
    private static let shapes: [(name: String, shape: [Int])] = [
        ("blocks.0.weight", [300, 700]), ("blocks.1.weight", [3, 5]), ("head.weight", [150, 1000]), ("blocks.0.bias", [700]),
        ("head.bias", [7]),
    ]

    private struct Outcome: Equatable, Sendable {
        var values: [UInt32] = []
        var readings: [StepSums.Reading] = []
        var further: [Float] = []
        var checkpoint: [UInt8] = []
    }

    /// Three steps of made-up gradients.
    private static func train(
        on ranks: InMemoryRanks, in folder: String, from checkpoint: String? = nil, steps: ClosedRange<Int> = 1...3
    ) throws -> Outcome {
        let store = ParameterStore(shapes, backend: try TestBackend.cpu.open(threads: 1))
        let cut = Shards(count: shards, microBatch: 1)
        let exchange = StepExchange(ranks, store, cut)
        store.backend.upload(store.values, from: TestNumbers.normal(store.count, seed: 9))
        if let checkpoint { try Checkpoint(path: checkpoint).restore(into: store, parts: exchange.parts) }
        let further = [store.backend.tensor([3]), store.backend.tensor([2, 2])]
        let sums = StepSums(of: store, further, shards: exchange.shards)
        let optimizer = Optimizer(AdamW())
        var outcome = Outcome()
        for step in steps {
            sums.clear()
            for shard in exchange.shards {
                let seed = UInt64(100 * step + shard)
                let numbers = TestNumbers.normal(store.count, seed: seed)
                if shard == exchange.shards.last, step != 2 { exchange.begin(sums) }
                // Gradients of the last shard come one by one, in an order of each rank's own, while those before are on their way.
                var random = SplitMix64(seed: seed)
                for entry in store.entries.shuffled(using: &random) {
                    store.backend.upload(store.gradients.elements(entry.range), from: Array(numbers[entry.range]))
                    exchange.complete(store.parameter(entry.name))
                }
                for (index, array) in further.enumerated() {
                    store.backend.upload(array, from: TestNumbers.normal(array.count, seed: seed + UInt64(1000 * (index + 1))))
                }
                store.backend.upload(sums.loss, from: [0.1 * Double(shard + step)])
                sums.finishShard()
            }
            let reading = try sums.read(with: exchange)
            outcome.readings.append(reading)
            optimizer.update(
                store, OptimizerRules(clipping: .perTensor(10)), learningRate: 0.01, progress: 0, gradientSquares: reading.gradientSquares,
                step: step, parts: exchange.parts)
            try exchange.shareValues()
        }
        outcome.further = further.flatMap { store.backend.download($0) }
        outcome.values = store.backend.download(store.values).map(\.bitPattern)
        guard ranks.rank == 0 else {
            try Checkpoint.hand(store, exchange)
            return outcome
        }
        let path = "\(folder)/\(ranks.count).safetensors"
        let metadata = Checkpoint.Metadata(
            step: steps.upperBound, samplesSeen: 0, seed: 0, manifestHash: "", pipeline: "", encoder: .init(heads: 3))
        try Checkpoint.write(to: path, metadata, store, exchange: exchange)
        outcome.checkpoint = Array(try #require(FileManager.default.contents(atPath: path)))
        return outcome
    }

    @Test(.timeLimit(.minutes(30))) func anyNumberOfRanksGivesTheSameBits() throws {
        try withTemporaryFolder { folder in
            let alone = try InMemoryRanks.run(1) { try Self.train(on: $0, in: folder) }[0]
            #expect(alone.values.count == 360_722 && Set(alone.values).count > 300_000)
            for count in 2...Self.shards {
                let outcomes = try InMemoryRanks.run(count) { try Self.train(on: $0, in: folder) }
                for outcome in outcomes {
                    #expect(outcome.values == alone.values && outcome.readings == alone.readings && outcome.further == alone.further)
                }
                #expect(outcomes[0].checkpoint == alone.checkpoint, "\(count)")
            }
        }
    }

    /// Three ranks go on from what eight have left, and one from what three have.
    @Test(.timeLimit(.minutes(30))) func aRunGoesOnWithAnotherNumberOfRanks() throws {
        try withTemporaryFolder { folder in
            let whole = try InMemoryRanks.run(1) { try Self.train(on: $0, in: folder) }[0]
            var last = whole
            for (step, count) in [(1, 8), (2, 3), (3, 1)] {
                let before = step == 1 ? nil : folder + "/before.safetensors"
                last = try InMemoryRanks.run(count) { try Self.train(on: $0, in: folder, from: before, steps: step...step) }[0]
                try Data(last.checkpoint).write(to: URL(fileURLWithPath: folder + "/before.safetensors"))
            }
            #expect(last.values == whole.values && last.checkpoint == whole.checkpoint)
        }
    }

    /// A rank that stops before its last pass has the others throw away what they have begun.
    @Test(.timeLimit(.minutes(30))) func nothingIsAddedUpWhereARankStops() throws {
        let outcomes = try InMemoryRanks.run(3) { ranks in
            let store = ParameterStore(Self.shapes, backend: try TestBackend.cpu.open(threads: 1))
            let exchange = StepExchange(ranks, store, Shards(count: Self.shards, microBatch: 1))
            let sums = StepSums(of: store, shards: exchange.shards)
            exchange.begin(sums) {
                guard try ranks.all([ranks.rank == 1]) == [[false], [false], [false]] else { throw CancellationError() }
            }
            for _ in exchange.shards { sums.finishShard() }
            do { _ = try sums.read(with: exchange) } catch { return error is CancellationError }
            return false
        }
        #expect(outcomes == [true, true, true])
    }
}
