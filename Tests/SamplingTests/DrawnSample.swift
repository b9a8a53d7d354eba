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
