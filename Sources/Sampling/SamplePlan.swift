import Base

/// What makes two runs see the same samples: the manifest, the seed and the sampler.
public struct PlanIdentity: Equatable, Sendable {
    /// Hash of the manifest, as the manifest states it.
    public let manifestHash: String
    /// The seed of all random choices.
    public let seed: UInt64
    /// How samples are drawn from videos, with all settings.
    public let sampler: AnySampler
    /// 64 bits that tell one plan's samples from another's (FNV-1a over ``write(to:)``); no protection against forgery.
    public let fingerprint: UInt64

    public init(manifestHash: String, seed: UInt64, sampler: AnySampler) {
        self.manifestHash = manifestHash
        self.seed = seed
        self.sampler = sampler
        var writer = ByteWriter()
        Self.write(manifestHash, seed, sampler, to: &writer)
        fingerprint = writer.bytes.withUnsafeBytes { FowlerNollVoHash.value(of: $0) }
    }

    /// Writes the parts that ``init(from:)`` reads, which are also what ``fingerprint`` is a hash of.
    public func write(to writer: inout ByteWriter) { Self.write(manifestHash, seed, sampler, to: &writer) }

    private static func write(_ manifestHash: String, _ seed: UInt64, _ sampler: AnySampler, to writer: inout ByteWriter) {
        writer.write(manifestHash)
        writer.write(seed)
        sampler.write(to: &writer)
    }

    public init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(
            manifestHash: try reader.readText(limit: 256), seed: try reader.read(), sampler: try AnySampler(from: &reader))
    }

    /// What differs from another plan, by the keys of a pipeline; nil where nothing does.
    public func difference(from other: PlanIdentity) -> String? {
        func values(_ plan: PlanIdentity) -> [(key: String, value: String)] {
            [("the manifest's hash", plan.manifestHash), ("seed", "\(plan.seed)"), ("the sampler", type(of: plan.sampler.value).name)]
                + plan.sampler.settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        let others = Dictionary(uniqueKeysWithValues: values(other).map { ($0.key, $0.value) })
        let found = values(self).compactMap { key, value in
            others[key] == value ? nil : "\(key) (\(value), not \(others[key] ?? "there"))"
        }
        return found.isEmpty ? nil : found.joined(separator: ", ")
    }
}

/// Which sample is the k-th of a run.
///
/// A *ticket* is one visit to a video; it gives `repeatedSampling` samples, its *replicas*. Tickets pass through all videos, every pass in
/// a new order. An *attempt* above 0 is the visit of another video in place of one that could not give its frames.
public struct SamplePlan: Equatable, Sendable {
    /// Replicas are counted in the bits of one word while a ticket is under way.
    public static let maximumReplicas = 64
    /// Attempts are counted in eight bits of the random streams' counters.
    public static let maximumAttempts = 256

    /// What the plan follows from, beside the number of videos.
    public let identity: PlanIdentity
    /// Videos in the manifest, at least one.
    public let videoCount: Int
    /// Samples of a ticket.
    public let replicas: Int

    public init(identity: PlanIdentity, videoCount: Int) {
        replicas = identity.sampler.value.repeatedSampling
        precondition(videoCount > 0 && (1...Self.maximumReplicas).contains(replicas))
        self.identity = identity
        self.videoCount = videoCount
    }

    /// Samples in an epoch: one for each video.
    public var samplesPerEpoch: Int { videoCount }

    /// The ticket that a sample belongs to.
    public func ticket(ofSample sample: Int) -> Int { sample / replicas }

    /// Which of its ticket's samples a sample is.
    public func replica(ofSample sample: Int) -> Int { sample % replicas }

    /// The samples of a ticket.
    public func samples(ofTicket ticket: Int) -> Range<Int> { ticket * replicas..<(ticket + 1) * replicas }

    /// The video of a ticket. A replacement is never one that failed at an earlier attempt, as long as there is another.
    public func video(ofTicket ticket: Int, attempt: Int) -> Int {
        precondition(ticket >= 0 && attempt < Self.maximumAttempts)
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
