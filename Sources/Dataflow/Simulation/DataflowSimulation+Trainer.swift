import Base
import Sampling

extension DataflowSimulation {
    /// Ranks that train in step. Each asks for its parts of the batches ahead of time, as a ``BatchClient`` does.
    struct Trainer {
        struct Rank {
            /// The step whose part the rank takes next. After it has taken a part, the rank waits for the others until the step ends.
            var next = 0
            /// Steps before this one have been asked for.
            var asked = 0
            /// Parts that have arrived, by step.
            var arrived: [Int: [Int]] = [:]
        }

        /// Seconds to and from the batcher.
        static let latency = 0.0005
        /// Steps between checkpoints.
        static let checkpointEvery = 20

        let batch: Int
        let samplesPerRank: Int
        /// Steps asked for ahead: half of what the window holds.
        let stepsAhead: Int
        let stepSeconds: Double
        /// Counts the restarts.
        var life = 0
        var ranks: [Rank]
        /// Steps done; the step of the last checkpoint, and the stream's digest at it.
        var step = 0
        var checkpoint = (step: 0, digest: UInt64(0))
        /// Hash of all samples that the ranks have taken.
        var digest: UInt64 = 0

        init(_ options: Options) {
            batch = options.batch
            samplesPerRank = options.samplesPerRank
            stepsAhead = max(1, min(64, options.window * options.replicas / (2 * options.batch)))
            let samplesPerSecond = Double(options.decoders * options.replicas) / options.pace
            stepSeconds = Double(options.batch) / (options.demand * samplesPerSecond)
            ranks = Array(repeating: Rank(), count: options.ranks)
        }

        func samples(ofStep step: Int, rank: Int) -> Range<Int> {
            let first = step * batch + rank * samplesPerRank
            return first..<first + samplesPerRank
        }

        /// No rank needs a sample before this one.
        var received: Int { ranks.indices.map { samples(ofStep: ranks[$0].next, rank: $0).lowerBound }.min()! }
    }

    mutating func startTrainer() {
        trainer.step = trainer.checkpoint.step
        trainer.digest = trainer.checkpoint.digest
        consumed = trainer.step * trainer.batch
        trainer.ranks = trainer.ranks.map { _ in Trainer.Rank(next: trainer.step, asked: trainer.step) }
        drive { broker, _ in broker.suspend() }
        at(now + delay(every: options.faults.trainerRestartEvery), .kill)
        for rank in trainer.ranks.indices {
            ask(rank)
            at(now + 1, .ping(rank: rank, life: trainer.life))
        }
    }

    mutating func killTrainer() {
        counts.trainerRestarts += 1
        trainer.life += 1
        at(now + 2, .restart)
    }

    private mutating func ask(_ rank: Int) {
        while trainer.ranks[rank].asked < trainer.ranks[rank].next + trainer.stepsAhead {
            let samples = trainer.samples(ofStep: trainer.ranks[rank].asked, rank: rank)
            send(.samples(samples, life: trainer.life), after: Trainer.latency)
            trainer.ranks[rank].asked += 1
        }
    }

    /// The batcher reports the requests that it has not answered. Messages keep their order, so a request that is neither pending nor
    /// answered was lost.
    mutating func review(_ rank: Int, _ pending: [Int], _ life: Int) {
        guard life == trainer.life else { return }
        let pending = Set(pending)
        for step in trainer.ranks[rank].next..<trainer.ranks[rank].asked where trainer.ranks[rank].arrived[step] == nil {
            let samples = trainer.samples(ofStep: step, rank: rank)
            if !pending.contains(samples.lowerBound) { send(.samples(samples, life: life), after: Trainer.latency) }
        }
    }

    mutating func receive(_ samples: Range<Int>, _ attempts: [Int], _ life: Int) {
        guard life == trainer.life else { return }
        let step = samples.lowerBound / trainer.batch
        let rank = samples.lowerBound % trainer.batch / trainer.samplesPerRank
        guard samples == trainer.samples(ofStep: step, rank: rank) else {
            return fault = Fault(description: "samples \(samples) were shipped, and no rank asked for them")
        }
        // A batch that was requested again may arrive twice.
        guard trainer.ranks[rank].next <= step, trainer.ranks[rank].arrived[step] == nil else { return }
        trainer.ranks[rank].arrived[step] = attempts
        takeStep()
    }

    /// Ranks take their parts of the next step; once all have, it begins.
    private mutating func takeStep() {
        guard trainer.ranks.contains(where: { $0.next == trainer.step }) else { return }
        for rank in trainer.ranks.indices where trainer.ranks[rank].next == trainer.step {
            guard let attempts = trainer.ranks[rank].arrived.removeValue(forKey: trainer.step) else { continue }
            check(attempts, trainer.samples(ofStep: trainer.step, rank: rank))
            trainer.ranks[rank].next += 1
            ask(rank)
        }
        guard trainer.ranks.allSatisfy({ $0.next > trainer.step }) else { return }
        at(now + trainer.stepSeconds, .step(life: trainer.life))
    }

    mutating func finishStep(_ life: Int) {
        guard life == trainer.life else { return }
        trainer.step += 1
        consumed = trainer.step * trainer.batch
        digest = trainer.digest
        if trainer.step % Trainer.checkpointEvery == 0 { trainer.checkpoint = (trainer.step, digest) }
        takeStep()
    }

    /// Each sample must be there, and of the first attempt whose video can be read.
    private mutating func check(_ attempts: [Int], _ samples: Range<Int>) {
        for (sample, attempt) in zip(samples, attempts) {
            let ticket = broker.plan.ticket(ofSample: sample)
            guard attempt != Self.missing else {
                return fault = Fault(description: "sample \(sample) was shipped and is not here")
            }
            guard
                let right = (0..<SamplePlan.maximumAttempts).first(where: { !isBroken(broker.plan.video(ofTicket: ticket, attempt: $0)) }),
                attempt == right
            else { return fault = Fault(description: "sample \(sample) came from attempt \(attempt)") }
            // A sum, because ranks take their parts in any order; the bits of each term are mixed first.
            trainer.digest &+= SplitMix64.scramble(UInt64(sample * SamplePlan.maximumAttempts + attempt))
        }
    }
}
