/// A video of fewer frames than a sampler takes.
public struct TooFewFrames: CountedFailure, CustomStringConvertible {
    public let kind = "too few frames"
    public let description: String
}

extension Sampler {
    /// Makes sure that samples can be drawn from a video.
    ///
    /// - Parameter record: what they are drawn from.
    public func requireFrames(of record: VideoRecord) throws(TooFewFrames) {
        guard record.frameCount < minimumFrames else { return }
        let frames = record.isStill ? "is a still" : "has \(record.frameCount) frames"
        throw TooFewFrames(
            description: "\(record.path) \(frames), and samples of the kind '\(Self.name)' want videos of \(minimumFrames) frames or more")
    }
}

extension Manifest {
    /// A sentence for people where samples reach beyond the ends of videos; nil where none does. Of more than a thousand videos it looks at a
    /// thousand, evenly spread.
    public func shortVideosNote(for sampler: some Sampler) throws -> String? {
        let looks = Swift.min(count, 1000)
        let short = try (0..<looks).count { sampler.outlasts(try self[$0 * count / looks].drawn) }
        guard short > 0 else { return nil }
        let share = looks == count ? "\(short) of \(count) videos" : "about \(max(1, short * 100 / looks)) % of the videos"
        return "\(share) in \(path) are shorter than a clip: their last frames are repeated; a smaller sampling.stride or fewer"
            + " sampling.frames make clips shorter"
    }

    /// Makes sure that samples can be drawn from every video, without a look at the records.
    ///
    /// - Throws: ``ManifestError`` where there are stills and the sampler takes more than one frame of a video.
    public func requireFrames(for sampler: some Sampler) throws(ManifestError) {
        guard holdsStills, sampler.minimumFrames > 1 else { return }
        throw ManifestError(
            path, nil,
            "lists stills, and samples of the kind '\(type(of: sampler).name)' want videos of \(sampler.minimumFrames) frames or more: prepare the videos"
                + " alone ('tandem prepare --no-stills'), or train on single pictures (recipe=mae)")
    }
}
