import Propagation
import Recipes
import Training

/// One run, as `Pipelines/NAME.json5` describes it. Every key has a default: the published numbers of the recipe.
public struct Pipeline: Equatable, Sendable {
    /// Names the run folder, `runs/NAME`; the recipe's name by default.
    public var name: String
    /// All randomness of the run comes from it.
    public var seed: UInt64 = 0
    public var data = Data()
    /// What is trained, and how samples are taken and masked: the recipe's name, and beside it groups of keys of its own.
    public var recipe: AnyRecipe
    public var train: TrainingSettings
    public var dataflow = Dataflow()
    public var evaluation = Evaluation()

    /// The published numbers of a recipe.
    public init(_ recipe: AnyRecipe = AnyRecipe()) {
        self.recipe = recipe
        name = recipe.name
        train = recipe.training
    }

    /// Where the videos are.
    public struct Data: Codable, Equatable, Sendable {
        /// Folder of videos, prepared by `tandem prepare`; or the `http://` or `https://` root of a server that has it, and then `manifest`
        /// is needed.
        public var media = ""
        /// The manifest; empty: `manifest.tandem` in `media`.
        public var manifest = ""
        /// Whether decoders replace videos whose content is not what was prepared, not only those of another size: each decoder reads every
        /// video through for that once.
        public var verifyContent = false

        /// The manifest's path.
        public var manifestPath: String { manifest.isEmpty ? media + "/manifest.tandem" : manifest }
    }

    /// The processes and the memory between them.
    public struct Dataflow: Codable, Equatable, Sendable {
        /// Decoder processes that `tandem run` starts.
        public var decoders = 2
        /// What the batcher process may take, in MiB: itself, its queues and, with all the rest, samples asked for or held.
        public var batcherMemory = 512
        /// Batches under way to the trainer, in MiB.
        public var trainerMemory = 256
        /// Samples a decoder may have asked for, in MiB.
        public var decoderMemory = 64
        /// Share of videos that may fail before the run stops.
        public var failureLimit = 0.1
        /// Seconds to wait for a process that is not there: longer than a host takes to start again, or a cable to be found.
        public var timeout = 600.0
    }

    /// Label propagation beside the training.
    public struct Evaluation: Codable, Equatable, Sendable {
        /// Root of the DAVIS data set; empty: not scored.
        public var davis = ""
        /// Root of the JHMDB data set; empty: not scored.
        public var jhmdb = ""
        /// Root of the VIP data set; empty: not scored.
        public var vip = ""
        /// Steps between evaluations; 0: only the first and the last checkpoint.
        public var every = 0
        /// Steps between quick scores of DAVIS, by nearest neighbours in the first frame; 0: none.
        public var quickEvery = 0
        /// All numbers of the propagation: "cropmae", "paper" or "dino". Those below override it for every data set.
        public var preset = PropagationPreset.cropmae
        /// Height and width that frames are scaled to; one number: the short side; empty: the preset's.
        public var size: [Int] = []
        /// Neighbours that vote for a token's label; 0: the preset's.
        public var topK = 0
        /// Frames before the current one that may vote, beside the first; 0: the preset's.
        public var queue = 0
        /// Radius of the neighbourhood in tokens; 0: the preset's.
        public var radius = 0.0
        /// Divides similarities before the softmax; 0: the preset's.
        public var temperature = 0.0
    }
}

/// As JSON one object: the groups of the recipe stand beside the others.
extension Pipeline: Codable {
    private enum Keys: String, CodingKey { case name, seed, data, train, dataflow, evaluation }

    public init(from decoder: any Decoder) throws {
        self.init(try AnyRecipe(from: decoder))
        let members = try decoder.container(keyedBy: Keys.self)
        name = try members.decode(String.self, forKey: .name)
        seed = try members.decode(UInt64.self, forKey: .seed)
        data = try members.decode(Data.self, forKey: .data)
        train = try members.decode(TrainingSettings.self, forKey: .train)
        dataflow = try members.decode(Dataflow.self, forKey: .dataflow)
        evaluation = try members.decode(Evaluation.self, forKey: .evaluation)
    }

    public func encode(to encoder: any Encoder) throws {
        try recipe.encode(to: encoder)
        var members = encoder.container(keyedBy: Keys.self)
        try members.encode(name, forKey: .name)
        try members.encode(seed, forKey: .seed)
        try members.encode(data, forKey: .data)
        try members.encode(train, forKey: .train)
        try members.encode(dataflow, forKey: .dataflow)
        try members.encode(evaluation, forKey: .evaluation)
    }

    /// Whether a group of keys, or a key of its own, belongs to all recipes alike.
    static func isShared(_ key: String) -> Bool { Keys(rawValue: key) != nil }
}
