import Sampling

extension Preparation {
    /// What a preparation found.
    public struct Summary: Sendable {
        /// The manifest that was written, open.
        public let manifest: Manifest
        /// How much was found.
        public let counts: Counts
        /// Files that were left out, though the user probably meant them.
        public let passedOver: PassedOver

        /// Sums over all videos.
        public struct Counts: Sendable {
            /// Videos that can be used.
            public fileprivate(set) var videos = 0
            /// Records of them: one a video, or one a span.
            public fileprivate(set) var spans = 0
            /// Their frames.
            public fileprivate(set) var frames = 0
            /// Stills that can be used.
            public fileprivate(set) var stills = 0
            /// Length of the videos.
            public fileprivate(set) var hours = 0.0
            /// Videos with damaged frames, and those frames.
            public fileprivate(set) var damagedVideos = 0
            /// Damaged frames of the videos that can be used.
            public fileprivate(set) var damagedFrames = 0
            /// Files that cannot be used, by reason.
            public fileprivate(set) var rejects: [MediaError.Reason: Int] = [:]
            /// Files whose findings were in the journal.
            public internal(set) var unchanged = 0
            /// The effect of encoding anew; nil where nothing was encoded.
            public fileprivate(set) var transcoded: Transcoded?

            /// "3 cannot open, 1 too short": the rejects, the most frequent reason first.
            public var rejectsByReason: String {
                listByFrequency(Dictionary(uniqueKeysWithValues: rejects.map { ($0.key.rawValue, $0.value) }))
            }
        }

        /// Sizes and costs before and after encoding anew, over the videos that can be used.
        public struct Transcoded: Sendable {
            fileprivate var videos = 0
            fileprivate var qualitySum = 0.0
            fileprivate var framesPerPairSums = (before: 0.0, after: 0.0)
            /// Bytes of the sources.
            public fileprivate(set) var bytesBefore = 0
            /// Bytes of the files that were written.
            public fileprivate(set) var bytesAfter = 0
            /// The lowest peak signal-to-noise ratio of a video, in dB.
            public fileprivate(set) var leastQuality = Double.infinity

            /// Mean peak signal-to-noise ratio of the videos, in dB.
            public var meanQuality: Double { qualitySum / Double(videos) }
            /// Frames decoded for a pair, mean of the videos.
            public var framesPerPair: (before: Double, after: Double) {
                (framesPerPairSums.before / Double(videos), framesPerPairSums.after / Double(videos))
            }
        }
    }
}

extension Preparation.Summary.Counts {
    mutating func add(_ reject: PreparationSources.Reject) { rejects[reject.reason, default: 0] += 1 }

    /// - Parameter records: what the manifest lists of one file.
    mutating func add(_ records: [VideoRecord], _ figures: Transcoding.Figures?) {
        guard let first = records.first else { return }
        guard !first.isStill else { return stills += 1 }
        videos += 1
        for record in records.map(\.drawn) {
            spans += 1
            frames += record.frameCount
            hours += record.seconds(ofFrame: record.frameCount - 1) / 3600
            damagedVideos += record.damagedFrames.isEmpty ? 0 : 1
            damagedFrames += record.damagedFrames.count
        }
        guard let figures else { return }
        var sums = transcoded ?? .init()
        sums.videos += 1
        sums.qualitySum += figures.quality
        sums.leastQuality = min(sums.leastQuality, figures.quality)
        sums.framesPerPairSums.before += figures.framesPerPairBefore
        sums.framesPerPairSums.after += figures.framesPerPairAfter
        sums.bytesBefore += figures.bytesBefore
        sums.bytesAfter += first.bytes
        transcoded = sums
    }
}
