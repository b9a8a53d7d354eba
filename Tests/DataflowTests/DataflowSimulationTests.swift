import Dataflow
import Testing

/// The broker among simulated decoders and ranks, in virtual time.
@Suite(.timeLimit(.minutes(30))) struct DataflowSimulationTests {
    private func options(decoders: Int, seed: UInt64) -> DataflowSimulation.Options {
        var options = DataflowSimulation.Options()
        options.videos = 300
        options.decoders = decoders
        options.slowDecoders = decoders / 5
        options.samplesPerRank = 4
        options.seed = seed
        return options
    }

    /// Whatever dies, joins, leaves, stops or is lost, each rank gets its parts of the same batches, once and in order.
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func theStreamIsOneStream(seed: UInt64) throws {
        var undisturbed = options(decoders: 1, seed: seed)
        undisturbed.faults = .none
        undisturbed.faults.brokenVideos = 0.05
        var calm = DataflowSimulation(undisturbed)
        let samples = 40_000
        try calm.run(untilConsumed: samples)

        for decoders in [2, 7, 40] {
            var options = options(decoders: decoders, seed: seed)
            options.faults.brokenVideos = 0.05
            options.faults.lostMessages = 0.01
            options.faults.doubledSamples = 0.01
            options.faults.trainerRestartEvery = 1000 / Double(decoders)
            (options.faults.deathEvery, options.faults.stopEvery, options.faults.departureEvery) = (50, 50, 100)
            var simulation = DataflowSimulation(options)
            try simulation.run(untilConsumed: samples)
            #expect(simulation.consumed == calm.consumed && simulation.digest == calm.digest)
            let counts = simulation.counts
            for count in [
                counts.deaths, counts.stops, counts.departures, counts.trainerRestarts, counts.lostMessages, counts.doubledSamples,
                counts.replacedVideos, simulation.broker.counters.reissued, simulation.broker.counters.duplicates,
            ] { #expect(count > 0) }
            #expect(simulation.broker.windowCount <= options.window)
        }
    }

    @Test func theSameSeedGivesTheSameCourse() throws {
        let runs = try ([5, 5, 6] as [UInt64]).map { seed in
            var simulation = DataflowSimulation(options(decoders: 20, seed: seed))
            try simulation.run(untilConsumed: 10_000)
            return (simulation.now, simulation.counts, simulation.broker.counters)
        }
        #expect(runs[0] == runs[1])
        #expect(runs[0].0 != runs[2].0)
    }

    /// One of some decoders takes ten times as long. All of them can do what the others and a tenth do; at least nine tenths of that is got.
    @Test(arguments: [2, 4, 8, 32], [8, 16, 64])
    func aSlowDecoderCostsLessThanATenth(decoders: Int, windowPerDecoder: Int) throws {
        var options = DataflowSimulation.Options()
        options.decoders = decoders
        options.slowDecoders = 1
        options.window = decoders * windowPerDecoder
        // Batches that the smallest window holds several of; a trainer that always waits.
        options.samplesPerRank = 1
        options.demand = 100
        options.faults = .none
        var simulation = DataflowSimulation(options)
        try simulation.run(untilConsumed: 2000)
        let (consumed, start) = (simulation.consumed, simulation.now)
        try simulation.run(untilConsumed: consumed + 1000 * decoders)
        let rate = Double(simulation.consumed - consumed) / Double(options.replicas) / (simulation.now - start)
        let possible = (Double(decoders - 1) + 0.1) / options.pace
        #expect(rate > 0.9 * possible)
    }
}
