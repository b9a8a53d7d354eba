import Autograd
import Base
import Compute
import Foundation
import WeightFiles

/// An array that a training continues from and the optimizer does not move: of a teacher, a centre, running statistics.
public struct StateArray {
    /// The key in checkpoints.
    public let name: String
    /// In f32.
    public let values: Tensor
    /// Whether it is a whole number that begins at 0, such as one of steps.
    public let isCount: Bool

    public init(_ name: String, _ values: Tensor, isCount: Bool = false) {
        self.name = name
        self.values = values
        self.isCount = isCount
    }
}

/// All that a training needs to continue, in one safetensors file.
///
/// Parameters stand under their PyTorch names, AdamW's moments under `optimizer.m.NAME` and `optimizer.v.NAME`; the metadata says where the
/// run stands. So PyTorch, timm and others read the weights, and nothing else holds the run's cursor.
public struct Checkpoint {
    /// Where the run stands, and what it is.
    public struct Metadata: Equatable, Sendable {
        /// Optimizer steps done.
        public var step: Int
        /// Samples consumed.
        public var samplesSeen: Int
        /// Samples of the whole run; 0: not told.
        public var samplesPlanned: Int
        /// The run's seed.
        public var seed: UInt64
        /// The manifest that the samples come from.
        public var manifestHash: String
        /// The effective pipeline as JSON text.
        public var pipeline: String
        /// What no array's shape tells of the encoder.
        public var encoder: EncoderRemarks

        public init(
            step: Int, samplesSeen: Int, samplesPlanned: Int = 0, seed: UInt64, manifestHash: String, pipeline: String,
            encoder: EncoderRemarks
        ) {
            self.step = step
            self.samplesSeen = samplesSeen
            self.samplesPlanned = samplesPlanned
            self.seed = seed
            self.manifestHash = manifestHash
            self.pipeline = pipeline
            self.encoder = encoder
        }
    }

    /// Where the run stood when the file was written.
    public let metadata: Metadata
    /// The file's arrays.
    public let file: Safetensors

    /// Opens a checkpoint and checks its structure; arrays are read later.
    public init(path: String) throws {
        file = try Safetensors(path: path)
        guard let metadata = Metadata(file.metadata) else {
            throw Failure("\(path) is no checkpoint of a training that can be continued: its metadata lacks the run's state")
        }
        self.metadata = metadata
    }

    /// Writes a checkpoint, whole or not at all.
    /// - Parameters:
    ///   - state: what the run needs to continue beside the parameters.
    ///   - constants: arrays that are not learned but belong to the model for other tools, such as `pos_embed`.
    ///   - exchange: with the trainers that keep the moments of other parts; each of the others calls ``hand(_:_:)``.
    public static func write(
        to path: String, _ metadata: Metadata, _ parameters: ParameterStore, state: [StateArray] = [], constants: [Safetensors.Array] = [],
        exchange: StepExchange? = nil
    ) throws {
        let backend = parameters.backend
        var arrays = constants
        arrays += state.map { part in Safetensors.Array(name: part.name, shape: part.values.shape) { backend.download(part.values) } }
        arrays += parameters.entries.map { entry in
            Safetensors.Array(name: entry.name, shape: entry.shape) { backend.download(parameters.values.elements(entry.range)) }
        }
        arrays += parameters.moments.map { name, entry, numbers in
            Safetensors.Array(name: name, shape: entry.shape) {
                try exchange?.atFirst(numbers, entry.range) ?? backend.download(numbers.elements(entry.range))
            }
        }
        try Safetensors.write(to: path, metadata: metadata.strings, arrays)
    }

    /// Hands a trainer's moments to the first one, which writes a checkpoint.
    public static func hand(_ parameters: ParameterStore, _ exchange: StepExchange) throws {
        for (_, entry, numbers) in parameters.moments { _ = try exchange.atFirst(numbers, entry.range) }
    }

    /// Puts parameters, moments and state back exactly as they were written.
    ///
    /// Throws where the file is of another model: a name missing or of another shape. Names beyond the store's are the constants.
    ///
    /// - Parameter parts: elements whose moments are wanted; nil: all.
    public func restore(into parameters: ParameterStore, state: [StateArray] = [], parts: [Range<Int>]? = nil) throws {
        let backend = parameters.backend
        for part in state { backend.upload(part.values, from: try file.floats(part.name, shape: part.values.shape)) }
        for entry in parameters.entries {
            backend.upload(parameters.values.elements(entry.range), from: try file.floats(entry.name, shape: entry.shape))
        }
        for (name, entry, numbers) in parameters.moments {
            let elements = try file.floats(name, shape: entry.shape)
            for part in parts ?? [entry.range] where part.overlaps(entry.range) {
                let own = part.clamped(to: entry.range)
                let first = own.lowerBound - entry.range.lowerBound
                backend.upload(numbers.elements(own), from: Array(elements[first..<first + own.count]))
            }
        }
        parameters.refreshOperands()
    }
}

extension Checkpoint.Metadata {
    fileprivate var strings: [String: String] {
        [
            "format": "pt", "tandem.version": "1", "tandem.step": "\(step)", "tandem.samples_seen": "\(samplesSeen)",
            "tandem.samples_planned": "\(samplesPlanned)", "tandem.seed": "\(seed)", "tandem.manifest": manifestHash,
            "tandem.pipeline": pipeline,
        ].merging(encoder.strings) { $1 }
    }

    fileprivate init?(_ strings: [String: String]) {
        guard strings["tandem.version"] == "1", let step = strings["tandem.step"].flatMap({ Int($0) }),
            let samplesSeen = strings["tandem.samples_seen"].flatMap({ Int($0) }),
            let seed = strings["tandem.seed"].flatMap({ UInt64($0) }), let manifestHash = strings["tandem.manifest"],
            let pipeline = strings["tandem.pipeline"]
        else { return nil }
        self.init(
            step: step, samplesSeen: samplesSeen, samplesPlanned: strings["tandem.samples_planned"].flatMap { Int($0) } ?? 0, seed: seed,
            manifestHash: manifestHash, pipeline: pipeline, encoder: EncoderRemarks(strings))
    }
}

extension Safetensors {
    /// The elements of an array that must have this shape.
    public func floats(_ key: String, shape: [Int]) throws -> [Float] {
        if let found = entries[key]?.shape, found != shape {
            throw Failure("\(name) is of another model: '\(key)' has the shape \(found), not \(shape)")
        }
        return try floats(key)
    }
}

extension ParameterStore {
    /// The optimizer's moments by their names in a checkpoint, in the order in which it has them.
    fileprivate var moments: [(name: String, entry: Entry, numbers: Tensor)] {
        [("optimizer.m.", firstMoments), ("optimizer.v.", secondMoments)].flatMap { prefix, numbers in
            entries.sorted { $0.name < $1.name }.map { (prefix + $0.name, $0, numbers) }
        }
    }
}
