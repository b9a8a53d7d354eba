import Base
import Configuration
import Console
import Files
import Foundation
import Media
import Recipes
import Sampling

/// `tandem bench decode`: how fast one decoder makes samples out of videos.
func benchDecode(arguments: [String]) throws {
    var options = Arguments(
        "tandem bench decode",
        about: """
            Times what a decoder process does for its tickets, on one thread: open a video, decode the frames of each sample, crop and
            scale them. Samples are drawn as in a run. Every ticket opens its video anew; videos take turns. Before that each video is
            read once, untimed, for what a manifest would say of it.
            """, arguments: arguments)
    let paths = options.values("--video", "FILE|FOLDER", "a video, a still, or a folder of some; may stand several times")
    let recipe = options.recipe()
    let samples = options.value("--samples", "N", "samples that are timed", default: 100)
    let repeats = options.value("--repeat", "R", "samples taken from a video each time it is opened", default: 1)
    let asJSON = options.flag("--json", "print one JSON object")
    if paths.isEmpty { options.refuse("--video FILE is missing") }
    if samples < 1 { options.refuse("--samples wants 1 or more") }
    if !(1...SamplePlan.maximumReplicas).contains(repeats) { options.refuse("--repeat wants 1 to \(SamplePlan.maximumReplicas)") }
    options.finish()

    let records = try paths.flatMap(files).map { path in
        let url = URL(fileURLWithPath: path)
        var record = try VideoRecord(inspectingFile: url.lastPathComponent, in: url.deletingLastPathComponent().path)
        record.path = String(url.path.dropFirst())
        return record
    }
    let pipeline = try Pipeline.parse(
        "{}", source: "the options", overrides: ["recipe=\(recipe)", "sampling.repeatedSampling=\(repeats)"])
    let sampler = pipeline.recipe.value.sampler
    for record in records { try sampler.requireFrames(of: record) }
    let result = try DecodeBench(records, sampler).run(samples: samples)
    print(result.shown(asJSON: asJSON))
}

/// The videos and stills of a folder and of those below it; any other path as it is.
private func files(of path: String) throws -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else { return [path] }
    let files = try FolderTree(path).files.filter { videoExtensions.union(stillExtensions).contains($0.ending) }.sorted()
    if files.isEmpty { throw Failure("\(path) holds neither a video nor a still") }
    return files.compactMap { $0.text.map { "\(path)/\($0)" } }
}

/// Measured decoding.
private struct DecodeResult: BenchResult {
    var samples: Int
    var samplesPerOpen: Int
    var samplesPerSecond: Double
    var samplesPerCPUSecond: Double
    /// Frames decoded for a sample, those that it shows included.
    var framesPerSample: Double
    /// Shares of the time, by stage; the rest is drawing samples and bookkeeping.
    var shares: [String: Double]
    /// Resident memory after 1000 samples, or all if there are fewer, and at the end.
    var earlyBytes: Int
    var lateBytes: Int
    var peakBytes: Int

    var text: String {
        """
        \(samples) samples, \(samplesPerOpen) from each opening of a video, one thread
          \(String(format: "%8.1f", samplesPerSecond)) samples/s
          \(String(format: "%8.1f", samplesPerCPUSecond)) samples per CPU second
          \(String(format: "%8.1f", framesPerSample)) frames decoded for a sample
          \(ReadingCosts.Stage.allCases.map { String(format: "\($0) %.0f %%", shares["\($0)"]! * 100) }.joined(separator: ", ")) of the time
          \(formatBytes(peakBytes)) of memory at the highest, \(formatBytes(earlyBytes)) early, \(formatBytes(lateBytes)) at the end
        """
    }
}

/// Videos and how samples are drawn from them.
private struct DecodeBench {
    let records: [VideoRecord]
    let sampler: any Sampler

    init(_ records: [VideoRecord], _ sampler: any Sampler) {
        self.records = records
        self.sampler = sampler
    }

    func run(samples: Int) throws -> DecodeResult {
        let reader = PictureReader(media: MediaRoot(""))
        let (layout, repeats) = (SampleLayout(sampler.arrays), sampler.repeatedSampling)
        let size = layout.byteCount(path: "")
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: repeats * size, alignment: 64)
        defer { memory.deallocate() }
        let writers = (0..<repeats).map { replica in
            SampleWriter(layout, UnsafeMutableRawBufferPointer(rebasing: memory[replica * size..<(replica + 1) * size]))
        }
        func serve(_ ticket: Int) throws {
            let record = records[ticket % records.count]
            let draws = writers.indices.map { Draw(seed: 1, ticket: ticket, replica: $0, record: record) }
            let pictures = zip(draws, writers).flatMap { draw, writer in sampler.draw(draw, into: writer).map { (writer, $0) } }
            try reader.read(pictures.map(\.1.request), of: record) { pictures[$0].0.bytes(pictures[$0].1) }
            for (draw, writer) in zip(draws, writers) { sampler.finish(writer, of: draw) }
        }
        let tickets = (samples + repeats - 1) / repeats
        let done = Double(tickets * repeats)
        let early = min(tickets, (999 + repeats) / repeats)
        let (wallStart, cpuStart) = (monotonicSeconds(), processorSeconds())
        for ticket in 0..<early { try serve(ticket) }
        let earlyBytes = SystemMemory.resident
        for ticket in early..<tickets { try serve(ticket) }
        let (wall, cpu) = (monotonicSeconds() - wallStart, processorSeconds() - cpuStart)
        return DecodeResult(
            samples: Int(done), samplesPerOpen: repeats, samplesPerSecond: done / wall, samplesPerCPUSecond: done / cpu,
            framesPerSample: Double(reader.costs.framesDecoded) / done,
            shares: Dictionary(uniqueKeysWithValues: ReadingCosts.Stage.allCases.map { ("\($0)", reader.costs.seconds($0) / wall) }),
            earlyBytes: earlyBytes, lateBytes: SystemMemory.resident, peakBytes: SystemMemory.highWaterMark)
    }
}
