import Base
import Console
import Foundation
import Media
import Sampling

/// Draws samples as a training does.
struct SampleDraw {
    let videos: VideoCollection
    let seed: UInt64

    /// Calls `body` with the numbers of visits to videos until it has gone well so often, and shows how far it is. Where a video cannot be read, the
    /// next has its turn; as many may fail as there are videos.
    func forEach(_ count: Int, _ body: (_ ticket: Int) throws -> Void) throws {
        var progress = ProgressLine()
        let start = monotonicSeconds()
        var (drawn, ticket) = (0, 0)
        func bar() -> String { progressBar(done: drawn, of: count, unit: "samples", elapsed: monotonicSeconds() - start) }
        while drawn < count {
            guard ticket < count + videos.count else {
                throw Failure("only \(drawn) of \(count) samples could be read; the warnings above say why")
            }
            do {
                try body(ticket)
                drawn += 1
            } catch let error as any CountedFailure {
                warn("passing over a video: \(error)")
            }
            ticket += 1
            progress.show(bar())
        }
        progress.finish(bar())
    }

    /// Calls `body` with the sample of a visit to a video; another sampler that differs in its mask ratio shows the same pictures.
    func withSample<Result>(ticket: Int, _ sampler: any Sampler, _ body: (SampleBlock) throws -> Result) throws -> Result {
        let order = EpochPermutation(count: videos.count, seed: seed, epoch: ticket / videos.count)
        let (record, media) = try videos.video(order[ticket % videos.count])
        let draw = Draw(seed: seed, ticket: ticket, record: record)
        try sampler.requireFrames(of: draw.record)
        let layout = SampleLayout(sampler.arrays)
        let header = SampleHeader(fingerprint: 0, sample: ticket, ticket: ticket, replica: 0, attempt: 0, video: 0, path: record.path)
        var bytes = [UInt8](repeating: 0, count: layout.byteCount(path: record.path))
        return try bytes.withUnsafeMutableBytes { block in
            layout.write(header, to: block)
            let writer = SampleWriter(layout, block)
            let pictures = sampler.draw(draw, into: writer)
            try PictureReader(media: media).read(pictures.map(\.request), of: record) { writer.bytes(pictures[$0]) }
            sampler.finish(writer, of: draw)
            return try body(SampleBlock(UnsafeRawBufferPointer(block)))
        }
    }
}
