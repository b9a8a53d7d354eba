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

    /// What differs from another plan, as people say it; nil where nothing does.
    public func difference(from other: PlanIdentity) -> String? {
        func differs<Value: Equatable>(_ name: String, _ value: (PlanIdentity) -> Value) -> String? {
            value(self) == value(other) ? nil : "\(name) (\(value(self)), not \(value(other)))"
        }
        let found = [
            differs("manifest", \.manifestHash), differs("seed", \.seed), differs("image size", \.recipe.imageSize),
            differs("patch size", \.recipe.patchSize), differs("frame gap", \.recipe.frameGap),
            differs("timeline rate", \.recipe.timelineRate), differs("crop area", \.recipe.cropArea),
            differs("crop aspect", \.recipe.cropAspect), differs("flip probability", \.recipe.flipProbability),
            differs("repeated sampling", \.recipe.repeatedSampling), differs("crops", \.recipe.crops),
            differs("mask ratio", \.recipe.maskRatio), differs("mask pattern", \.recipe.maskPattern),
            differs("masked frames", \.recipe.maskedFrames),
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
