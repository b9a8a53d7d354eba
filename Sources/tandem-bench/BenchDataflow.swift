import Console
import Foundation

/// `tandem bench dataflow`: how many samples a second pass from decoders through the batcher to a trainer.
func benchDataflow(arguments: [String]) throws {
    var options = Arguments(
        "tandem bench dataflow",
        about: """
            Times the dataflow alone: decoder processes that make pictures up in no time, tandem-batcher, and a trainer that checks and
            counts what it gets. Every byte crosses two sockets. Beside it stands what ZeroMQ itself carries over one socket, from the same
            number of processes, in messages of the same size: measured before and after, over the same transport.

            \(simulationAbout)
            """, arguments: arguments)
    var setup = DataflowBench.Setup()
    setup.decoders = options.value("--decoders", "N", "decoder processes", default: setup.decoders)
    setup.transport = options.value("--transport", "ipc|tcp|curve", "what messages go over; curve: tcp with keys", default: setup.transport)
    setup.seconds = options.value("--seconds", "S", "how long to measure, after a second that does not count", default: setup.seconds)
    setup.memory = options.value("--memory", "MIB", "the batcher's memory", default: setup.memory)
    setup.decodeMilliseconds = options.value(
        "--decode-milliseconds", "T", "how long a decoder is to take for a sample", default: setup.decodeMilliseconds)
    setup.stepMilliseconds = options.value(
        "--step-milliseconds", "T", "how long the trainer is to take for a batch of \(DataflowBench.batch) samples",
        default: setup.stepMilliseconds)
    let role = options.value(
        "--role", "trainer|decoder|source",
        "what this process is: the trainer, which starts all others; or, with --connect, a decoder, or a source of "
            + "messages to compare with", default: DataflowBench.Role.trainer)
    let endpoint = options.value("--connect", "ENDPOINT", "where a decoder or a source connects")
    let keys = options.value("--keys", "FOLDER", "keys with which it does")
    let simulates = options.flag("--simulate", "drive the batcher's decisions alone instead, in virtual time")
    let tickets = options.value("--tickets", "N", "visits to videos for each row of a simulation", default: 200_000)
    let seed = options.value("--seed", "N", "of everything that happens in a simulation", default: UInt64(1))
    let asJSON = options.flag("--json", "print one JSON object")
    if tickets < 1000 { options.refuse("--tickets wants 1000 or more") }
    if !(1...256).contains(setup.decoders) { options.refuse("--decoders wants 1 to 256") }
    if setup.seconds <= 0 { options.refuse("--seconds wants more than 0") }
    if setup.decodeMilliseconds < 0 || setup.stepMilliseconds < 0 { options.refuse("milliseconds cannot be negative") }
    if role != .trainer, endpoint == nil { options.refuse("--role \(role) wants --connect ENDPOINT") }
    options.finish()

    if simulates { return try simulateDataflow(tickets: tickets, seed: seed, asJSON: asJSON) }
    Interruption.catchSignals()
    switch (role, endpoint) {
    case (.decoder, let endpoint?): try decodeNothing(for: endpoint, keys: keys, milliseconds: setup.decodeMilliseconds)
    case (.source, let endpoint?): try sendMessages(to: endpoint, keys: keys)
    default:
        let bench = try DataflowBench(setup)
        print(try bench.run().shown(asJSON: asJSON))
    }
}

/// Measured dataflow.
struct DataflowResult: BenchResult {
    var transport: DataflowBench.Transport
    var decoders: Int
    var sampleBytes: Int
    var samplesPerSecond: Double
    var bytesPerSecond: Double { samplesPerSecond * Double(sampleBytes) }
    /// Messages a second that ZeroMQ carries over one socket.
    var rawPerSecond: Double
    var shareOfRaw: Double { samplesPerSecond / rawPerSecond }
    /// Processor time of the batcher for a sample, of all processes for a sample, and of both sides for a raw message. Where others use the
    /// processor too, these still compare.
    var batcherMicroseconds: Double
    var sampleMicroseconds: Double
    var rawMicroseconds: Double
    /// The most memory that the batcher took.
    var batcherPeakBytes: Int
    /// Share of the time that the trainer waited for data.
    var dataWait: Double

    var text: String {
        """
        \(decoders) decoder\(decoders == 1 ? "" : "s") over \(transport), samples of \(sampleBytes) bytes
          \(String(format: "%8.0f", samplesPerSecond)) samples/s, \(String(format: "%.2f", bytesPerSecond / 1e9)) GB/s
          \(String(format: "%8.0f", rawPerSecond)) messages/s of raw ZeroMQ over one socket; the dataflow over two: \
        \(String(format: "%.0f", shareOfRaw * 100)) % of them
          \(String(format: "%8.0f", batcherMicroseconds)) µs of the batcher's processor time a sample; \
        \(String(format: "%.0f", sampleMicroseconds)) µs of all processes, \(String(format: "%.0f", rawMicroseconds)) µs for a raw message
          \(String(format: "%8.1f", dataWait * 100)) % of the time the trainer waited
          \(formatBytes(batcherPeakBytes)) of memory of the batcher at the highest
        """
    }

    enum CodingKeys: CodingKey {
        case transport, decoders, sampleBytes, samplesPerSecond, bytesPerSecond, rawPerSecond, shareOfRaw
        case batcherMicroseconds, sampleMicroseconds, rawMicroseconds, batcherPeakBytes, dataWait
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CodingKeys.self)
        try object.encode(transport.rawValue, forKey: .transport)
        try object.encode(decoders, forKey: .decoders)
        try object.encode(sampleBytes, forKey: .sampleBytes)
        try object.encode(samplesPerSecond, forKey: .samplesPerSecond)
        try object.encode(bytesPerSecond, forKey: .bytesPerSecond)
        try object.encode(rawPerSecond, forKey: .rawPerSecond)
        try object.encode(shareOfRaw, forKey: .shareOfRaw)
        try object.encode(batcherMicroseconds, forKey: .batcherMicroseconds)
        try object.encode(sampleMicroseconds, forKey: .sampleMicroseconds)
        try object.encode(rawMicroseconds, forKey: .rawMicroseconds)
        try object.encode(batcherPeakBytes, forKey: .batcherPeakBytes)
        try object.encode(dataWait, forKey: .dataWait)
    }
}
