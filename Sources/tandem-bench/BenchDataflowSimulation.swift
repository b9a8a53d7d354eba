import Base
import Console
import Dataflow
import Foundation

let simulationAbout = """
    With --simulate: drives the batcher's state machine in virtual time, with thousands of videos to millions, ten decoders to a thousand
    that die, join, leave, are stopped, slow or far, broken videos, lost and doubled messages, and a trainer of 8 ranks that is killed now
    and then. Checks that every rank gets its part of every batch once and in order, and prints what a ticket costs and what memory it takes.
    """

/// Runs the simulation for more and more videos and decoders.
func simulateDataflow(tickets: Int, seed: UInt64, asJSON: Bool) throws {
    var rows: [SimulationResult.Row] = []
    for videos in [10_000, 100_000, 1_000_000, 10_000_000] {
        for decoders in [10, 100, 1000] {
            var options = DataflowSimulation.Options()
            options.videos = videos
            options.decoders = decoders
            options.slowDecoders = max(1, decoders / 50)
            options.window = max(256, 8 * decoders)
            options.seed = seed
            // Some ten restarts in each row.
            options.faults.trainerRestartEvery = Double(tickets) * options.pace / Double(decoders) / 10
            rows.append(try simulate(options, tickets: tickets))
            if !asJSON {
                if rows.count == 1 { print(SimulationResult.header) }
                print(rows.last!.text)
            }
        }
    }
    let result = SimulationResult(rows: rows)
    guard result.isOneStream else { throw Failure("the number of decoders changed the stream") }
    print(result.shown(asJSON: asJSON))
}

private func simulate(_ options: DataflowSimulation.Options, tickets: Int) throws -> SimulationResult.Row {
    var simulation = DataflowSimulation(options)
    // The middle one of several parts is what a ticket takes, whatever else the machine did meanwhile.
    let parts = 10
    var nanoseconds: [Double] = []
    for part in 1...parts {
        let (time, issued) = (simulation.brokerNanoseconds, simulation.broker.counters.issued)
        try simulation.run(untilConsumed: tickets * options.replicas * part / parts)
        nanoseconds.append(Double(simulation.brokerNanoseconds - time) / Double(simulation.broker.counters.issued - issued))
    }
    let counters = simulation.broker.counters
    return SimulationResult.Row(
        videos: options.videos, decoders: options.decoders, window: options.window, tickets: simulation.consumed / options.replicas,
        nanosecondsPerTicket: nanoseconds.sorted()[parts / 2], residentBytes: SystemMemory.resident, virtualSeconds: simulation.now,
        events: simulation.counts, issuedAgain: counters.reissued, dropped: counters.duplicates,
        digest: String(simulation.digest, radix: 16))
}

/// What the simulations showed.
private struct SimulationResult: BenchResult {
    struct Row: Encodable {
        var videos: Int
        var decoders: Int
        var window: Int
        /// Visits to videos whose samples the trainer consumed, in the end.
        var tickets: Int
        /// Time that the batcher's decisions take: the median of ten parts of the run.
        var nanosecondsPerTicket: Double
        /// Of the whole process, simulated decoders included.
        var residentBytes: Int
        var virtualSeconds: Double
        var events: DataflowSimulation.Counts
        var issuedAgain: Int
        /// Samples and failures that came twice or too late.
        var dropped: Int
        /// Tells one stream from another.
        var digest: String

        var text: String {
            let columns = [
                videos, decoders, window, Int(nanosecondsPerTicket.rounded()), events.deaths, events.stops, events.departures,
                events.trainerRestarts, events.replacedVideos, events.lostMessages, events.doubledSamples, issuedAgain, dropped,
            ]
            let numbers = zip(columns, SimulationResult.columns).map {
                String(repeating: " ", count: max(0, $1.count - "\($0)".count)) + "\($0)"
            }
            return (numbers + [formatBytes(residentBytes)]).joined(separator: "  ")
        }
    }

    var rows: [Row]

    static let columns = [
        "    videos", "decoders", "window", "ns/ticket", "deaths", "stops", "leaves", "restarts", "replaced", "  lost", "doubled",
        "again", "dropped",
    ]
    static var header: String { (columns + ["memory"]).joined(separator: "  ") }

    /// Whether runs over as many videos ended with the same samples, whatever happened on the way.
    var isOneStream: Bool {
        Dictionary(grouping: rows, by: \.videos).values.allSatisfy { Set($0.map(\.digest)).count == 1 }
    }

    var text: String {
        """
        Every rank got its part of every batch, once and in order; for as many videos the same samples, whatever the decoders.
        ns/ticket: time of the batcher's decisions, the median of ten parts; memory: of the whole process, simulated decoders included.
        """
    }
}
