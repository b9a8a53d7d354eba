import Foundation
import Sampling

/// What a batcher is to do, as `tandem plan` prints it of a pipeline: nothing here depends on what is trained.
public struct BatcherPlan: Codable, Equatable, Sendable {
    /// The manifest's path.
    public var manifest: String
    /// The seed of all random choices of the run: the order of the videos and what is drawn from each.
    public var seed: UInt64
    /// How samples are drawn from the videos.
    public var sampler: AnySampler
    /// MiB that the batcher process may take.
    public var batcherMemory: Int
    /// MiB of samples that a decoder may have asked for.
    public var decoderMemory: Int
    /// Share of visits to videos that may fail before the run stops.
    public var failureLimit: Double

    public init(manifest: String, seed: UInt64, sampler: AnySampler, batcherMemory: Int, decoderMemory: Int, failureLimit: Double) {
        self.manifest = manifest
        self.seed = seed
        self.sampler = sampler
        self.batcherMemory = batcherMemory
        self.decoderMemory = decoderMemory
        self.failureLimit = failureLimit
    }
}
