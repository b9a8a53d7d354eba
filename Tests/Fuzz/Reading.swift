import Base
import Configuration
import Console
import Foundation
import Media
import Pictures
import Sampling

/// Memory that a case may leave behind, and take while it runs, in bytes.
private let mostKept = 256 << 20
private let mostTaken = 1536 << 20

/// What a child does: damages and reads the cases, telling the parent of each on standard output when it is through.
func readCases(_ cases: Range<Int>, seed: UInt64, corpus: Corpus) {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-fuzz-child-\(getpid())").path
    try! FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for number in cases {
        let good = corpus.seed(ofCase: number)
        let kind = MessageKind(rawValue: good.kind)
        let name = "damaged." + (good.name as NSString).pathExtension
        if kind == nil { try! Data(damaged(good, seed: seed, case: number)).write(to: URL(fileURLWithPath: folder + "/" + name)) }
        // "5" resets the high-water mark of resident memory, see proc(5).
        try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
        let begin = monotonicSeconds()
        let outcome = kind?.readDamaged(good, randomSeed: seed, case: number) ?? "1 \(read(name, in: folder, as: good))"
        let most = SystemMemory.highWaterMark
        let isTooMuch = most > mostTaken || SystemMemory.resident > mostKept
        tell("\(number) \(Int((monotonicSeconds() - begin) * 1000)) \(most >> 20) \(isTooMuch ? "1 memory" : outcome)")
    }
}

private func tell(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// Reads a damaged file as the programs do. Returns "read", or why it was refused; crashes where there is a mistake.
private func read(_ name: String, in folder: String, as good: Corpus.Seed) -> String {
    let path = folder + "/" + name
    do {
        switch good.kind {
        case "json5": try readPipeline(path)
        case "manifest": try readManifest(path)
        case "png", "jpg", "webp":
            _ = try? readIndexImage(path)
            _ = try? readImage(path)
            try readStill(try VideoRecord(inspectingStill: name, in: folder), in: folder)
        default:
            // A file that was damaged after it was prepared, the sizes being alike by chance, then one that is found damaged.
            if var record = good.record {
                record.bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as! Int
                try? readPictures(path, record)
            }
            try readPictures(path, try VideoRecord(inspecting: name, in: folder, timeout: 5))
        }
        return "read"
    } catch let error as MediaError {
        return error.reason.rawValue
    } catch is PipelineMistake {
        return "refused"
    } catch is ManifestError {
        return "refused"
    } catch {
        return "\(error)"
    }
}

/// Reads the last frame, the first, and some between, each as a small picture.
private func readPictures(_ path: String, _ record: VideoRecord) throws {
    let reader = try VideoReader(path: path, record: record, timeout: 5)
    var pixels = [UInt8](repeating: 0, count: 32 * 32 * 3)
    let whole = CropBox(x: 0, y: 0, width: record.width, height: record.height)
    let corner = CropBox(x: record.width / 2, y: record.height / 2, width: (record.width + 1) / 2, height: (record.height + 1) / 2)
    for frame in [record.frameCount - 1, 0, record.frameCount / 2, record.frameCount / 3] {
        try pixels.withUnsafeMutableBytes { pixels in
            let requests = [(whole, true), (corner, false)].map { PictureRequest(frame: frame, box: $0, isFlipped: $1, size: 32) }
            try reader.read(requests) { _ in pixels }
        }
    }
}

/// Reads the whole still as a small picture.
private func readStill(_ record: VideoRecord, in folder: String) throws {
    var pixels = [UInt8](repeating: 0, count: 32 * 32 * 3)
    let whole = CropBox(x: 0, y: 0, width: record.width, height: record.height)
    try pixels.withUnsafeMutableBytes { pixels in
        try PictureReader(media: MediaRoot(folder)).read([PictureRequest(frame: 0, box: whole, size: 32)], of: record) { _ in pixels }
    }
}

/// A manifest that is taken must hold records that samples can be drawn from; and so must records that come without its checksums, as
/// tickets do.
private func readManifest(_ path: String) throws {
    let headerByteCount = 56
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    bytes.withUnsafeBytes { bytes in
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(headerByteCount)))
        while let record = try? VideoRecord(from: &reader) { drawSamples(of: record) }
    }
    try Manifest(contentsOf: path).readAll(drawSamples)
}

func drawSamples(of record: VideoRecord) {
    precondition(record.fault == nil && record.timestamps.count == record.frameCount)
    let timeline = Timeline(of: record, rate: 0)
    precondition(timeline.frame(nearest: timeline.count - 1) == record.frameCount - 1)
    for ticket in 0..<4 where record.frameCount >= FramePairSampler().minimumFrames {
        for view in FramePairSampler().geometry(Draw(seed: 1, ticket: ticket, record: record)).views {
            precondition((0..<record.frameCount).contains(view.frame) && view.box.x + view.box.width <= record.width)
        }
    }
}

/// A pipeline that is taken must be one that its own text describes.
private func readPipeline(_ path: String) throws {
    let pipeline = try Pipeline.load(path)
    let again = try Pipeline.parse(pipeline.text, source: path)
    precondition(again == pipeline)
}
