import Base
import Console
import Foundation
import Media
import Sampling

/// `tandem bench views`: how fast the views of one frame are made.
func benchViews(arguments: [String]) throws {
    var options = Arguments(
        "tandem bench views",
        about: """
            Times how one thread makes iBOT's views of a decoded frame: two of 224 pixels and ten of 96, cut, scaled and mirrored, their \
            colours changed. Every sample draws its own, and of a video its own frame too. Opening and decoding do not count.
            """, arguments: arguments)
    let samples = options.value("--samples", "N", "samples that are timed", default: 200)
    let asJSON = options.flag("--json", "print one JSON object")
    let path = options.operand("FILE", "a video or a still")
    if samples < 1 { options.refuse("--samples wants 1 or more") }
    options.finish()

    let url = URL(fileURLWithPath: path), folder = url.deletingLastPathComponent().path
    let record = try VideoRecord(inspectingFile: url.lastPathComponent, in: folder)
    let sampler = MultiCropSampler()
    let reader = PictureReader(media: MediaRoot(folder))
    let layout = SampleLayout(sampler.arrays)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: layout.byteCount(path: ""), alignment: 64)
    defer { memory.deallocate() }
    let writer = SampleWriter(layout, memory)
    var colours = 0.0
    for ticket in 0..<samples {
        let draw = Draw(seed: 1, ticket: ticket, record: record)
        let pictures = sampler.draw(draw, into: writer)
        try reader.read(pictures.map(\.request), of: record) { writer.bytes(pictures[$0]) }
        let start = monotonicSeconds()
        sampler.finish(writer, of: draw)
        colours += monotonicSeconds() - start
    }
    let result = ViewsResult(
        samples: samples, width: record.width, height: record.height, viewsPerSample: 2 + sampler.sampling.localCrops,
        cropMilliseconds: reader.costs.seconds(.convert) / Double(samples) * 1e3, colourMilliseconds: colours / Double(samples) * 1e3)
    print(result.shown(asJSON: asJSON))
}

/// Measured views.
private struct ViewsResult: BenchResult {
    var samples: Int
    var width: Int
    var height: Int
    var viewsPerSample: Int
    /// Milliseconds a sample: cutting, scaling and mirroring all views, and changing their colours.
    var cropMilliseconds: Double
    var colourMilliseconds: Double

    var text: String {
        """
        \(samples) samples of \(viewsPerSample) views of \(width)x\(height), one thread
          \(String(format: "%8.1f", 1e3 / (cropMilliseconds + colourMilliseconds))) samples/s without decoding
          \(String(format: "%8.2f", cropMilliseconds)) ms a sample to cut and scale
          \(String(format: "%8.2f", colourMilliseconds)) ms a sample for colours
        """
    }
}
