import Autograd
import Base
import Compute
import Layers
import WeightFiles

extension EncoderWeights {
    /// The encoder with these weights in `backend`'s memory, with the file's own position embedding, learned or not.
    ///
    /// Throws where arrays are missing, of other shapes, or of a kind that this encoder lacks.
    /// - Parameter precision: of its products.
    public func makeEncoder(precision: Precision = .f32, backend: any Backend) throws -> any EncoderModel {
        try check()
        let all = Parameters()
        let encoder = makeEncoder(
            configuration(heads: try requireHeads()), all,
            positions: try kind == .pictures ? file.finiteFloats(key("pos_embed"), shape: positionShape) : nil)
        try file.fill(ParameterStore(all.all, precision: ModelPrecision(precision), backend: backend), prefix: prefix, backend)
        return encoder
    }

    /// Refuses weights that this encoder, or timm's of the same size, would not load or would compute something else with.
    public func check() throws {
        let configuration = configuration(heads: heads ?? 1)
        if let problem = configuration.problem { throw Failure("the weights \(name) make no encoder: \(problem)") }
        let parameters = Parameters()
        _ = makeEncoder(configuration, parameters, positions: nil)
        var expected = Dictionary(uniqueKeysWithValues: parameters.all.map { ($0.name, $0.shape) })
        if kind == .pictures { expected["pos_embed"] = positionShape }
        for (name, shape) in expected.sorted(by: { $0.key < $1.key }) { try file.require(key(name), shape: shape) }
        let unknown = (Array(entries.keys) + otherNetworkArrays).filter { expected[$0] == nil }.sorted()
        if let first = unknown.first {
            throw Failure(
                "\(self.name) is of another kind of vision transformer: it has '\(prefix)\(first)', which a plain one lacks,"
                    + " so its features would come out wrong")
        }
        _ = try requireHeads()
    }

    /// - Parameter positions: of an encoder of pictures the numbers of its position embedding; nil: the sine-cosine ones.
    private func makeEncoder(_ configuration: EncoderConfiguration, _ parameters: Parameters, positions: [Float]?) -> any EncoderModel {
        switch kind {
        case .pictures:
            let table = positions.map { PositionEmbedding(gridSize: gridSize, width: width, values: $0) }
            return VisionTransformer(configuration, parameters, positions: table, VisionTransformer.Variant { $0.hasNorm = hasNorm })
        case .videoMAE: return ClipTransformer(configuration, .videoMAE, parameters, hidden: hiddenWidth)
        case .maeST: return ClipTransformer(configuration, .maeST, parameters, hidden: hiddenWidth)
        }
    }

    /// The number of attention heads, which must be known to compute anything.
    private func requireHeads() throws -> Int {
        guard let heads else {
            throw Failure(
                "nothing tells how many attention heads the encoder in \(name) has: no array does, and no published encoder of the width"
                    + " \(width) and patches of \(patchSize) is known; say it with --heads N")
        }
        return heads
    }

    /// Refuses weights whose position embedding is not the sine-cosine table, and so cannot be computed for another grid.
    public func requireSineCosinePositions() throws {
        try check()
        guard kind == .pictures else {
            throw Failure(
                "the position embedding of \(name), an encoder of clips, can be interpolated, not computed anew: leave out --positions")
        }
        let own = try floats("pos_embed", shape: positionShape)
        let table = PositionEmbedding(gridSize: gridSize, width: width).values
        guard zip(own, table).allSatisfy({ abs($0 - $1) < 1e-3 }) else {
            throw Failure(
                "the position embedding of \(name) is not MAE's sine-cosine table: it can be interpolated, not computed anew; leave out --positions"
            )
        }
    }

    /// The sizes, which the arrays' shapes tell.
    private func configuration(heads: Int) -> EncoderConfiguration {
        EncoderConfiguration(
            imageSize: gridSize * patchSize, patchSize: patchSize, width: width, depth: depth, heads: heads,
            clip: kind == .pictures ? nil : ClipShape(frames: frames, framesPerPatch: framesPerPatch))
    }

    private var positionShape: [Int] { [1, 1 + gridSize * gridSize, width] }

    /// Arrays of other architectures that take part in the forward pass, but have names of their own.
    private var otherNetworkArrays: [String] {
        ["reg_token", "register_tokens", "dist_token", "norm_pre.weight", "rel_pos_bias.relative_position_bias_table"]
            .filter { file.entries[prefix + $0] != nil }
    }
}

extension WeightFile {
    /// Gives parameters the values that the file has under their names, with `prefix` before each.
    package func fill(_ parameters: ParameterStore, prefix: String = "", _ backend: any Backend) throws {
        for entry in parameters.entries {
            try backend.upload(parameters.parameter(entry.name).value, from: finiteFloats(prefix + entry.name, shape: entry.shape))
        }
        parameters.refreshOperands()
    }

    /// Refuses what no picture could be told by: its features are not numbers, and a score of them would look like one.
    fileprivate func finiteFloats(_ key: String, shape: [Int]) throws -> [Float] {
        let values = try floats(key, shape: shape)
        guard values.allSatisfy(\.isFinite) else {
            throw Failure("\(name): '\(key)' holds numbers that are not finite; its training has diverged, take earlier weights")
        }
        return values
    }
}
