import Base
import Sampling

/// Samples of random pictures with masks as the sampler draws them, for benchmarks and tests: the same in every run.
public struct RandomSamples {
    private let bytes: [UInt8]
    private let count: Int

    public init(of sampler: any Sampler, count: Int) {
        let layout = SampleLayout(sampler.arrays)
        let size = layout.byteCount(path: "")
        var noise = SplitMix64(seed: 1)
        var bytes = [UInt8](repeating: 0, count: count * size)
        bytes.withUnsafeMutableBytes { bytes in
            for sample in 0..<count {
                let block = UnsafeMutableRawBufferPointer(rebasing: bytes[sample * size..<(sample + 1) * size])
                let header = SampleHeader(fingerprint: 0, sample: sample, ticket: sample, replica: 0, attempt: 0, video: 0, path: "")
                layout.write(header, to: block)
                let writer = SampleWriter(layout, block)
                let draw = Draw(seed: 1, ticket: sample, record: .imagined)
                for picture in sampler.draw(draw, into: writer) {
                    let place = writer.bytes(picture)
                    for index in place.indices { place[index] = .random(in: 0...255, using: &noise) }
                }
                sampler.finish(writer, of: draw)
            }
        }
        (self.bytes, self.count) = (bytes, count)
    }

    public func withBlocks<Result>(_ body: ([SampleBlock]) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBytes { bytes in
            let size = bytes.count / count
            return try body((0..<count).map { try! SampleBlock(UnsafeRawBufferPointer(rebasing: bytes[$0 * size..<($0 + 1) * size])) })
        }
    }
}

extension VideoRecord {
    /// A video that there is not, of which any sample may be drawn.
    package static let imagined = VideoRecord(
        path: "", bytes: 1, width: 640, height: 480, timeBase: Rational(1, 30), timestamps: .even(start: 0, step: 1, count: 1000),
        keyFrames: [0], contentHash: "")
}
