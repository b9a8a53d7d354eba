import Autograd
import Compute
import Layers
import Models

extension EncoderWeights {
    /// The encoder with these weights in `backend`'s memory.
    ///
    /// Throws where arrays are missing or of other shapes, and where the position embedding was learned: the encoder knows the fixed
    /// sine-cosine table only.
    public func makeEncoder(backend: any Backend) throws -> VisionTransformer {
        let configuration = EncoderConfiguration(
            imageSize: gridSize * patchSize, patchSize: patchSize, width: width, depth: depth, heads: heads)
        if let problem = configuration.problem { throw TrainingError("the weights \(name) make no encoder: \(problem)") }
        let parameters = Parameters()
        let encoder = VisionTransformer(configuration, parameters)
        let table = try floats("pos_embed", shape: [1, 1 + gridSize * gridSize, width])
        guard zip(table, encoder.positions.values).allSatisfy({ abs($0 - $1) < 1e-3 }) else {
            throw TrainingError(
                "the weights \(name) have a learned position embedding; only the fixed sine-cosine table of MAE and SiamMAE is supported")
        }
        let store = ParameterStore(parameters.all, backend: backend)
        for entry in store.entries { try store.parameter(entry.name).value.upload(floats(entry.name, shape: entry.shape), backend) }
        return encoder
    }
}

extension Tensor {
    fileprivate func upload(_ elements: [Float], _ backend: any Backend) {
        elements.withUnsafeBufferPointer { backend.upload(self, from: $0.baseAddress!) }
    }
}

extension SiamMAE {
    /// The fixed position tables under their names in MAE's checkpoints: to be written beside the parameters, for tools that expect them.
    public var positionTables: [Safetensors.Array] {
        [("pos_embed", encoder.positions), ("decoder_pos_embed", decoderPositions)].map { name, table in
            Safetensors.Array(name: name, shape: [1, table.values.count / table.width, table.width]) { table.values }
        }
    }
}
