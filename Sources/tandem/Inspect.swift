import Base
import Configuration
import Console
import Files
import Foundation
import Media
import Models
import Recipes
import Sampling
import Training
import WeightFiles

/// `tandem inspect`: what a file of Tandem's, or of weights, holds.
func inspect(arguments: [String]) throws {
    var options = Arguments(
        "tandem inspect",
        about: """
            Shows what is in a checkpoint or another file of weights (safetensors, PyTorch), in a manifest or in a pipeline. Nothing in a \
            PyTorch file is run.
            """,
        arguments: arguments)
    let wantsJSON = options.flag("--json", "print one JSON object, with every array, instead of a summary")
    let wantsVideos = options.flag("--videos", "print the records of a manifest, one JSON object a line")
    let heads: Int? = options.value("--heads", "N", EncoderWeights.headsHelp)
    let overrides = options.values("--set", "KEY=VALUE", "override a key of a pipeline; may stand several times")
    let path = options.operand("FILE", "the file; of a run's folder the last checkpoint, of a folder of videos the manifest")
    options.finish()

    if wantsVideos { return try printVideos(of: path) }
    let summary = try summary(path, heads: heads, overrides: overrides)
    print(wantsJSON ? try summary.json() : summary.text)
}

/// The manifest of a folder of videos; any other path as it is.
func manifestPath(_ path: String) -> String {
    let inFolder = path + "/" + Preparation.manifestName
    return FileManager.default.fileExists(atPath: inFolder) ? inFolder : path
}

private func printVideos(of path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try Manifest(contentsOf: manifestPath(path)).readAll { print(String(decoding: try encoder.encode($0), as: UTF8.self)) }
}

private func summary(_ path: String, heads: Int?, overrides: [String]) throws -> FileSummary {
    let manifest = manifestPath(path)
    if manifest != path { return try manifestSummary(manifest) }
    let file = try CheckpointFolder.weights(at: path, warn: warn)
    if let obstacle = obstacleToReading(file) { throw Failure("cannot read \(file): \(obstacle)") }
    let head = try FileHandle(forReadingFrom: URL(fileURLWithPath: file)).read(upToCount: 4096) ?? Data()
    if head.starts(with: Manifest.magic) { return try manifestSummary(file) }
    // Text holds no zero byte; both formats of weights do within their first bytes.
    let isText = !head.isEmpty && !head.contains(0)
    let ending = (file as NSString).pathExtension.lowercased()
    if !isText || ["safetensors", "pth", "pt", "bin"].contains(ending) { return try weightSummary(file, heads: heads) }
    let text = String(decoding: head, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    if text.hasPrefix("{\"tandem-manifest\"") { return try manifestSummary(file) }  // an old one, which says what to do
    if ["json5", "json"].contains(ending) || text.hasPrefix("{") { return try pipelineSummary(file, overrides) }
    throw Failure("\(file) is no file of weights (safetensors, PyTorch), no manifest and no pipeline")
}

private func manifestSummary(_ path: String) throws -> FileSummary {
    let manifest = try Manifest(contentsOf: path)
    var (frames, hours, bytes, stills) = (0, 0.0, 0, 0)
    var (damagedVideos, damagedFrames) = (0, 0)
    var (slowest, fastest) = (Double.infinity, 0.0)
    var sizes: [String: Int] = [:]
    var endings: [String: Int] = [:]
    try manifest.readAll { record in
        bytes += record.bytes
        sizes["\(record.width)x\(record.height)", default: 0] += 1
        endings[(record.path as NSString).pathExtension.lowercased(), default: 0] += 1
        guard !record.isStill else { return stills += 1 }
        frames += record.frameCount
        let seconds = record.seconds(ofFrame: record.frameCount - 1)
        hours += seconds / 3600
        damagedVideos += record.damagedFrames.isEmpty ? 0 : 1
        damagedFrames += record.damagedFrames.count
        let rate = Double(record.frameCount - 1) / seconds
        (slowest, fastest) = (min(slowest, rate), max(fastest, rate))
    }
    let videos = manifest.count - stills
    var summary = FileSummary("\(path): manifest of a folder of videos", kind: "manifest")
    summary.add("path", path)
    summary.add("identity", "\(manifest.identity), which the records confirm", "identity", manifest.identity)
    summary.add("videos", grouped(videos), "videos", videos)
    if stills > 0 { summary.add("stills", grouped(stills), "stills", stills) }
    summary.add("frames", grouped(frames), "frames", frames)
    summary.add("length", String(format: "%.2f hours", hours), "hours", hours)
    summary.add("size", formatBytes(bytes), "bytes", bytes)
    if videos > 0 {
        summary.add("rates", String(format: "%.4g to %.4g frames a second", slowest, fastest), "frameRates", [slowest, fastest])
    }
    summary.add("pictures", listed(ranked(sizes)), "pictureSizes", sizes)
    summary.add("files", listed(ranked(endings)), "fileEndings", endings)
    let damage = "\(grouped(damagedFrames)) frames of \(grouped(damagedVideos)) videos, which samples avoid"
    summary.add("damage", damagedVideos == 0 ? "none" : damage, "damaged", ["videos": damagedVideos, "frames": damagedFrames])
    // Manifests name no codecs: which frames a file has does not depend on them.

    let found = rejectReasons(folderName(of: path) + "/" + Preparation.rejectsName)
    let reasons = Dictionary(found.map { ($0, 1) }, uniquingKeysWith: +)
    summary.add("rejects", reasons.isEmpty ? "none" : listed(ranked(reasons)), "rejects", reasons)
    return summary
}

/// The reason of every line of a list of rejects; none where there is no list.
private func rejectReasons(_ path: String) -> [String] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").map { line in
        let reject = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return reject?["reason"] as? String ?? "unknown"
    }
}

/// How often each text occurs, the most frequent first.
private func ranked(_ counts: [String: Int]) -> [(String, Int)] {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
}

private func listed(_ counts: [(String, Int)]) -> String {
    let shown = counts.prefix(6).map { "\($0.0) (\(grouped($0.1)))" } + (counts.count > 6 ? ["\(counts.count - 6) others"] : [])
    return shown.joined(separator: ", ")
}

private func pipelineSummary(_ path: String, _ overrides: [String]) throws -> FileSummary {
    let pipeline = try Pipeline.load(path, overrides: overrides)
    var summary = FileSummary("\(path): pipeline '\(pipeline.name)'", kind: "pipeline")
    summary.add("path", path)
    summary.add("recipe", pipeline.recipe.name, "recipe", pipeline.recipe.name)
    let (all, encoder) = pipeline.recipe.parameterCounts
    summary.add("encoder", "\(grouped(encoder)) parameters", "encoderParameters", encoder)
    summary.add("decoder", "\(grouped(all - encoder)) parameters", "decoderParameters", all - encoder)
    let arrays = pipeline.recipe.value.sampler.arrays
    func visible(_ zeros: ClosedRange<Int>) -> String {
        zeros.count == 1 ? "\(zeros.lowerBound) visible" : "\(zeros.lowerBound) or more visible"
    }
    func described(_ array: ArrayDeclaration) -> String {
        array.name + " " + array.shape.map { "\($0)" }.joined(separator: "x") + (array.zeros.map { " (\(visible($0)))" } ?? "")
    }
    summary.add(
        "sample", arrays.map(described).joined(separator: ", "), "visiblePatches",
        Dictionary(uniqueKeysWithValues: arrays.compactMap { array in array.zeros.map { (array.name, $0.lowerBound) } }))
    let work = pipeline.recipe.operationsPerSample / 1e9
    summary.add("work", String(format: "%.4g GFLOP a sample in training", work), "trainingGFLOPPerSample", work)
    if let manifest = try? Manifest(contentsOf: pipeline.data.manifestPath) {
        let steps = pipeline.totalSteps(videos: manifest.count)
        summary.add("steps", "\(grouped(steps)) over \(grouped(manifest.count)) videos", "steps", steps)
    }
    summary.add("pipeline", try JSONSerialization.jsonObject(with: Data(pipeline.text.utf8)))
    summary.add(lines: ["Effective values:"] + pipeline.text.split(separator: "\n").map(String.init))
    return summary
}
