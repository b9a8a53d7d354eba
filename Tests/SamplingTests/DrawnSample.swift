import Base
import Sampling

/// Calls `body` with a sample that is whole but for its pixels, and the pictures that are wanted for it.
func withSample<Result>(
    of sampler: any Sampler, _ draw: Draw, _ body: (_ sample: SampleBlock, _ pictures: [PlacedPicture]) throws -> Result
) throws -> Result {
    let layout = SampleLayout(sampler.arrays)
    var bytes = [UInt8](repeating: 7, count: layout.byteCount(path: draw.record.path))
    return try bytes.withUnsafeMutableBytes { block in
        let header = SampleHeader(
            fingerprint: 0, sample: 0, ticket: draw.ticket, replica: draw.replica, attempt: draw.attempt, video: 0, path: draw.record.path)
        layout.write(header, to: block)
        let pictures = sampler.draw(draw, into: SampleWriter(layout, block))
        return try body(SampleBlock(UnsafeRawBufferPointer(block)), pictures)
    }
}

extension Timeline {
    /// A random pair.
    func drawPair(gap: ClosedRange<Int>, from stream: inout RandomStream) -> (past: Point, future: Point) {
        let frames = drawFrames(pasts: 1, futures: 1, gap: gap, from: &stream)
        return (frames[0], frames[1])
    }
}

/// A plan as it arrives at the other end of the wire.
func sent(_ plan: PlanIdentity) throws -> PlanIdentity {
    var writer = ByteWriter()
    plan.write(to: &writer)
    return try writer.bytes.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        return try PlanIdentity(from: &reader)
    }
}

/// Calls `body` with a whole sample, whose pictures were noise before they were finished, each its own.
func withFinishedSample<Result>(of sampler: any Sampler, _ draw: Draw, _ body: (_ sample: SampleBlock) throws -> Result) throws -> Result {
    let layout = SampleLayout(sampler.arrays)
    var bytes = [UInt8](repeating: 0, count: layout.byteCount(path: ""))
    return try bytes.withUnsafeMutableBytes { block in
        layout.write(
            SampleHeader(fingerprint: 0, sample: 0, ticket: 0, replica: 0, attempt: 0, video: 0, path: ""), to: block)
        let writer = SampleWriter(layout, block)
        var noise = SplitMix64(seed: 4)
        for picture in sampler.draw(draw, into: writer) {
            let place = writer.bytes(picture)
            for index in place.indices { place[index] = .random(in: 0...255, using: &noise) }
        }
        sampler.finish(writer, of: draw)
        return try body(SampleBlock(UnsafeRawBufferPointer(block)))
    }
}

/// One number for the first samples of a sampler, finished, which are to stay the same bytes for good: a run that began earlier continues.
func hashOfSamples(_ sampler: any Sampler, of record: VideoRecord) throws -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for ticket in 0..<20 {
        try withFinishedSample(of: sampler, Draw(seed: 7, ticket: ticket, record: record)) { sample in
            for array in sample.arrays {
                for byte in sample.bytes(array.name)! { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            }
        }
    }
    return hash
}
