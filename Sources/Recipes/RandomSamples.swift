import Base
import Sampling

/// Samples of random bytes, with as many zeros in each mask as the sampler says, for benchmarks and tests: the same in every run.
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
                for array in sampler.arrays where array.kind == .uint8 {
                    let place = writer.bytes(array.name)
                    for index in place.indices { place[index] = .random(in: 0...255, using: &noise) }
                    guard let zeros = array.zeros else { continue }
                    let mask = [UInt8](repeating: 0, count: zeros) + [UInt8](repeating: 1, count: place.count - zeros)
                    writer.write(mask.shuffled(using: &noise), to: array.name)
                }
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
