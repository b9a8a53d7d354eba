import Base
import Console
import Foundation
import Media
import Sampling

/// `tandem bench decode`: how fast one decoder makes pairs of pictures out of videos.
func benchDecode(arguments: [String]) throws {
    var options = Arguments(
        "tandem bench decode",
        about: """
            Times what a decoder process does for its tickets, on one thread: open a video, decode two frames for each pair, crop and
            scale them. Pairs are drawn as in a run. Every ticket opens its video anew; videos take turns. Before that each video is
            read once, untimed, for what a manifest would say of it.
            """, arguments: arguments)
    let paths = options.values("--video", "FILE", "a video; may stand several times")
    let pairs = options.value("--pairs", "N", "pairs that are timed", default: 100)
    let repeats = options.value("--repeat", "R", "pairs taken from a video each time it is opened", default: 1)
    let asJSON = options.flag("--json", "print one JSON object")
    if paths.isEmpty { options.refuse("--video FILE is missing") }
    if pairs < 1 { options.refuse("--pairs wants 1 or more") }
    if !(1...SamplePlan.maximumReplicas).contains(repeats) { options.refuse("--repeat wants 1 to \(SamplePlan.maximumReplicas)") }
    options.finish()

    let records = try paths.map { path in
        let url = URL(fileURLWithPath: path)
        var record = try VideoRecord(inspecting: url.lastPathComponent, in: url.deletingLastPathComponent().path)
        record.path = String(url.path.dropFirst())
        return record
    }
    let result = try DecodeBench(records, FramePairSampler { $0.sampling.repeatedSampling = repeats }).run(pairs: pairs)
    print(result.shown(asJSON: asJSON))
}

/// Measured decoding.
private struct DecodeResult: BenchResult {
    var pairs: Int
    var pairsPerOpen: Int
    var pairsPerSecond: Double
    var pairsPerCPUSecond: Double
    /// Frames decoded for a pair, its own two included.
    var framesPerPair: Double
    /// Shares of the time, by stage; the rest is drawing pairs and bookkeeping.
    var shares: [String: Double]
    /// Resident memory after 1000 pairs, or all if there are fewer, and at the end.
    var earlyBytes: Int
    var lateBytes: Int
    var peakBytes: Int

    var text: String {
        """
        \(pairs) pairs, \(pairsPerOpen) from each opening of a video, one thread
          \(String(format: "%8.1f", pairsPerSecond)) pairs/s
          \(String(format: "%8.1f", pairsPerCPUSecond)) pairs per CPU second
          \(String(format: "%8.1f", framesPerPair)) frames decoded for a pair
          \(ReadingCosts.Stage.allCases.map { String(format: "\($0) %.0f %%", shares["\($0)"]! * 100) }.joined(separator: ", ")) of the time
          \(formatBytes(peakBytes)) of memory at the highest, \(formatBytes(earlyBytes)) early, \(formatBytes(lateBytes)) at the end
        """
    }
}

/// Videos and how pairs are drawn from them.
private struct DecodeBench {
    let records: [VideoRecord]
    let sampler: FramePairSampler

    init(_ records: [VideoRecord], _ sampler: FramePairSampler) {
        self.records = records
        self.sampler = sampler
    }

    func run(pairs: Int) throws -> DecodeResult {
        let reader = PictureReader(media: MediaRoot(""))
        let (size, repeats) = (sampler.sampling.imageSize, sampler.repeatedSampling)
        let pictureByteCount = size * size * 3
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: 2 * repeats * pictureByteCount, alignment: 64)
        defer { memory.deallocate() }
        func serve(_ ticket: Int) throws {
            let record = records[ticket % records.count]
            let requests = (0..<repeats).flatMap { replica in
                sampler.geometry(Draw(seed: 1, ticket: ticket, replica: replica, record: record)).views.map { $0.request(size: size) }
            }
            try reader.read(requests, of: record) { index in
                UnsafeMutableRawBufferPointer(rebasing: memory[index * pictureByteCount..<(index + 1) * pictureByteCount])
            }
        }
        let tickets = (pairs + repeats - 1) / repeats
        let done = Double(tickets * repeats)
        let early = min(tickets, (999 + repeats) / repeats)
        let (wallStart, cpuStart) = (monotonicSeconds(), processorSeconds())
        for ticket in 0..<early { try serve(ticket) }
        let earlyBytes = SystemMemory.resident
        for ticket in early..<tickets { try serve(ticket) }
        let (wall, cpu) = (monotonicSeconds() - wallStart, processorSeconds() - cpuStart)
        return DecodeResult(
            pairs: Int(done), pairsPerOpen: repeats, pairsPerSecond: done / wall, pairsPerCPUSecond: done / cpu,
            framesPerPair: Double(reader.costs.framesDecoded) / done,
            shares: Dictionary(uniqueKeysWithValues: ReadingCosts.Stage.allCases.map { ("\($0)", reader.costs.seconds($0) / wall) }),
            earlyBytes: earlyBytes, lateBytes: SystemMemory.resident, peakBytes: SystemMemory.highWaterMark)
    }
}
