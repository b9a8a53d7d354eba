import Configuration
import Console
import Foundation
import Training
import WeightFiles

/// What a file of weights holds: its format, the parts of the model, where its run stood, and its arrays.
func weightSummary(_ path: String, heads: Int?) throws -> FileSummary {
    let file = try WeightFile(path: path)
    let run = try? Checkpoint(path: path).metadata
    let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    var summary = FileSummary(
        "\(path): \(run == nil ? "weights" : "checkpoint of a training"), \(file.format.rawValue), \(formatBytes(size))",
        kind: run == nil ? "weights" : "checkpoint")
    summary.add("path", path)
    summary.add("format", file.format.rawValue)
    summary.add("bytes", size)

    do {
        let encoder = try EncoderWeights(file, heads: heads)
        summary.add(
            "model", "\(encoder.sizeName), for \(encoder.inputName)", "encoder",
            [
                "width": encoder.width, "depth": encoder.depth, "heads": encoder.heads as Any? ?? NSNull(), "patchSize": encoder.patchSize,
                "imageSize": encoder.gridSize * encoder.patchSize, "frames": encoder.frames, "framesPerPatch": encoder.framesPerPatch,
                "lastNorm": encoder.hasNorm, "entry": encoder.entry,
            ])
        if !encoder.entry.isEmpty { summary.add("entry", "'\(encoder.entry)'", "entry", encoder.entry) }
    } catch {
        summary.add("model", "\(error)".replacingOccurrences(of: path + " ", with: ""), "encoder", NSNull())
    }

    let counts = file.numbersOfParts
    let parts = EncoderWeights.Part.allCases.compactMap { part in counts[part].map { (part, $0) } }
    for (part, count) in parts { summary.add(part.rawValue, "\(grouped(count)) numbers", "\(part.rawValue)Numbers", count) }

    if let run { add(run, to: &summary) }
    let shown = file.metadata.filter { !$0.key.hasPrefix("tandem.") }
    for (key, value) in shown.sorted(by: { $0.key < $1.key }) where run == nil && key != "format" {
        summary.add(key, value, "metadata.\(key)", value)
    }
    summary.add(
        "arrays", file.entries.mapValues { ["shape": $0.shape, "dtype": $0.typeName] as [String: Any] })
    summary.add(lines: arrayLines(file.entries))
    return summary
}

/// Where the run stood that wrote a checkpoint.
private func add(_ run: Checkpoint.Metadata, to summary: inout FileSummary) {
    let pipeline = try? Pipeline.parse(run.pipeline, source: "the checkpoint's pipeline")
    if let pipeline { summary.add("run", pipeline.name, "run", pipeline.name) }
    summary.add("step", grouped(run.step), "step", run.step)
    summary.add("samples", "\(grouped(run.samplesSeen)) seen", "samplesSeen", run.samplesSeen)
    summary.add("seed", "\(run.seed)", "seed", run.seed)
    summary.add("manifest", run.manifestHash, "manifest", run.manifestHash)
    summary.add("pipeline", (try? JSONSerialization.jsonObject(with: Data(run.pipeline.utf8))) ?? run.pipeline)
}

/// A line for all arrays whose names differ in numbers only and that have one shape and type: "blocks.*.attn.qkv.weight  12 x F32 [1152, 384]".
private func arrayLines(_ entries: [String: WeightFile.Entry]) -> [String] {
    struct Kind: Hashable {
        let name: String
        let type: String
        let shape: [Int]
    }
    let kinds = entries.map { name, entry in
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) == nil ? String($0) : "*" }
        return Kind(name: parts.joined(separator: "."), type: entry.typeName, shape: entry.shape)
    }
    let rows = Dictionary(kinds.map { ($0, 1) }, uniquingKeysWith: +).sorted { ($0.key.name, $0.value) < ($1.key.name, $1.value) }
    let width = min(60, rows.map(\.key.name.count).max() ?? 0)
    return ["\(grouped(entries.count)) arrays:"]
        + rows.map { kind, count in
            let name = kind.name.count < width ? kind.name.padding(toLength: width, withPad: " ", startingAt: 0) : kind.name
            return "  \(name)  \(count == 1 ? "" : "\(count) x ")\(kind.type) \(kind.shape)"
        }
}
