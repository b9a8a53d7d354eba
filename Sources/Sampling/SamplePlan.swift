import Base

/// What makes two runs see the same samples: the manifest, the seed and the recipe.
public struct PlanIdentity: Equatable, Sendable {
    /// Hash of the manifest, as the manifest states it.
    public var manifestHash: String
    public var seed: UInt64
    public var recipe: Recipe

    public init(manifestHash: String, seed: UInt64, recipe: Recipe) {
        self.manifestHash = manifestHash
        self.seed = seed
        self.recipe = recipe
    }

    public func write(to writer: inout ByteWriter) {
        writer.write(manifestHash)
        writer.write(seed)
        recipe.write(to: &writer)
    }

    public init(from reader: inout ByteReader) throws(MalformedBytes) {
        manifestHash = try reader.readText(limit: 256)
        seed = try reader.read()
        recipe = try Recipe(from: &reader)
    }

    /// 64 bits that tell one plan's samples from another's (FNV-1a over ``write(to:)``); no protection against forgery.
    public var fingerprint: UInt64 {
        var writer = ByteWriter()
        write(to: &writer)
        return writer.bytes.withUnsafeBytes { FowlerNollVoHash.value(of: $0) }
    }

    /// What differs from another plan, by the keys of a pipeline; nil where nothing does.
    public func difference(from other: PlanIdentity) -> String? {
        func differs<Value: Equatable>(_ key: String, _ value: (PlanIdentity) -> Value) -> String? {
            value(self) == value(other) ? nil : "\(key) (\(value(self)), not \(value(other)))"
        }
        func bounds<Bound>(_ range: ClosedRange<Bound>) -> [Bound] { [range.lowerBound, range.upperBound] }
        let found = [
            differs("the manifest's hash") { $0.manifestHash }, differs("seed") { $0.seed },
            differs("sampling.imageSize") { $0.recipe.imageSize }, differs("the patch of model.size") { $0.recipe.patchSize },
            differs("sampling.frameGap") { bounds($0.recipe.frameGap) },
            differs("the rate of sampling.timeline") { $0.recipe.timelineRate },
            differs("sampling.cropArea") { bounds($0.recipe.cropArea) },
            differs("sampling.cropAspect") { bounds($0.recipe.cropAspect) }, differs("sampling.flip") { $0.recipe.flipProbability },
            differs("sampling.repeatedSampling") { $0.recipe.repeatedSampling },
            differs("sampling.crops") { $0.recipe.crops.rawValue }, differs("mask.ratio") { $0.recipe.maskRatio },
            differs("mask.pattern") { $0.recipe.maskPattern.rawValue }, differs("mask.frames") { $0.recipe.maskedFrames.rawValue },
        ].compactMap { $0 }
        return found.isEmpty ? nil : found.joined(separator: ", ")
    }
}

/// Which sample is the k-th of a run.
///
/// A *ticket* is one visit to a video; it gives `repeatedSampling` samples, its *replicas*. Tickets pass through all videos, every pass in
/// a new order. An *attempt* above 0 is the visit of another video in place of one that could not give its frames.
public struct SamplePlan: Equatable, Sendable {
    /// Replicas are counted in the bits of one word while a ticket is under way.
    public static let mostReplicas = 64
    /// Attempts are counted in eight bits of the random streams' counters.
    public static let mostAttempts = 256

    public let identity: PlanIdentity
    public let videoCount: Int

    public init(identity: PlanIdentity, videoCount: Int) {
        precondition(videoCount > 0 && (1...Self.mostReplicas).contains(identity.recipe.repeatedSampling))
        self.identity = identity
        self.videoCount = videoCount
    }

    public var replicas: Int { identity.recipe.repeatedSampling }

    /// Samples in an epoch: one for each video.
    public var samplesPerEpoch: Int { videoCount }

    /// The ticket that a sample belongs to.
    public func ticket(ofSample sample: Int) -> Int { sample / replicas }

    /// Which of its ticket's samples a sample is.
    public func replica(ofSample sample: Int) -> Int { sample % replicas }

    /// The samples of a ticket.
    public func samples(ofTicket ticket: Int) -> Range<Int> { identity.recipe.samples(ofTicket: ticket) }

    /// The video of a ticket. A replacement is never one that failed at an earlier attempt, as long as there is another.
    public func video(ofTicket ticket: Int, attempt: Int) -> Int {
        precondition(ticket >= 0 && attempt < Self.mostAttempts)
        let permutation = EpochPermutation(count: videoCount, seed: identity.seed, epoch: ticket / videoCount)
        var chosen = permutation[ticket % videoCount]
        guard attempt > 0 else { return chosen }
        var failed: Set<Int> = []
        for attempt in 1...attempt {
            failed.insert(chosen)
            var stream = RandomStream(seed: identity.seed, purpose: .replacementVideo, ticket: ticket, attempt: attempt)
            chosen = stream.uniform(below: videoCount)
            guard failed.count < videoCount else { continue }
            while failed.contains(chosen) { chosen = (chosen + 1) % videoCount }
        }
        return chosen
    }
}
