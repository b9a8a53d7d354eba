import Autograd
import Base
import Compute
import Foundation
import WeightFiles

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
        /// Attention heads of the encoder, which no array's shape tells.
        public var encoderHeads: Int

        public init(
            step: Int, samplesSeen: Int, samplesPlanned: Int = 0, seed: UInt64, manifestHash: String, pipeline: String, encoderHeads: Int
        ) {
            self.step = step
            self.samplesSeen = samplesSeen
            self.samplesPlanned = samplesPlanned
            self.seed = seed
            self.manifestHash = manifestHash
            self.pipeline = pipeline
            self.encoderHeads = encoderHeads
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
    /// - Parameter constants: arrays that are not learned but belong to the model for other tools, such as `pos_embed`.
    public static func write(
        to path: String, _ metadata: Metadata, _ parameters: ParameterStore, constants: [Safetensors.Array] = []
    ) throws {
        var arrays = constants
        for (prefix, numbers) in parameters.training {
            arrays += parameters.entries.map { entry in
                Safetensors.Array(name: prefix + entry.name, shape: entry.shape) {
                    parameters.backend.download(numbers.elements(entry.range))
                }
            }
        }
        try Safetensors.write(to: path, metadata: metadata.strings, arrays)
    }

    /// Puts parameters and moments back exactly as they were written.
    ///
    /// Throws where the file is of another model: a name missing or of another shape. Names beyond the store's are the constants.
    public func restore(into parameters: ParameterStore) throws {
        for (prefix, numbers) in parameters.training {
            for entry in parameters.entries {
                let elements = try file.floats(prefix + entry.name, shape: entry.shape)
                parameters.backend.upload(numbers.elements(entry.range), from: elements)
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
            "tandem.encoder_heads": "\(encoderHeads)",
        ]
    }

    fileprivate init?(_ strings: [String: String]) {
        guard strings["tandem.version"] == "1", let step = strings["tandem.step"].flatMap({ Int($0) }),
            let samplesSeen = strings["tandem.samples_seen"].flatMap({ Int($0) }),
            let seed = strings["tandem.seed"].flatMap({ UInt64($0) }), let manifestHash = strings["tandem.manifest"],
            let pipeline = strings["tandem.pipeline"], let heads = strings["tandem.encoder_heads"].flatMap({ Int($0) })
        else { return nil }
        self.init(
            step: step, samplesSeen: samplesSeen, samplesPlanned: strings["tandem.samples_planned"].flatMap { Int($0) } ?? 0, seed: seed,
            manifestHash: manifestHash, pipeline: pipeline, encoderHeads: heads)
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
    /// The arrays that a training continues from, by the prefix of their names in a checkpoint.
    fileprivate var training: [(prefix: String, numbers: Tensor)] {
        [("", values), ("optimizer.m.", firstMoments), ("optimizer.v.", secondMoments)]
    }
}
