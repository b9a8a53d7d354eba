import Layers

// How many numbers a model learns, from its sizes alone: layers are put together, but nothing is allocated.
extension SiamMAE.Configuration {
    /// Learned numbers of the encoder.
    public var encoderParameterCount: Int {
        let parameters = Parameters()
        _ = VisionTransformer(encoder, parameters)
        return parameters.count + (encoderKind == .joint ? 2 * encoder.width : 0)
    }

    /// Learned numbers of the decoder, the mask token and the head.
    public var decoderParameterCount: Int {
        let all = Parameters()
        _ = Linear(all["decoder_embed"], in: encoder.width, out: decoder.width)
        for index in 0..<decoder.depth {
            let block = all["decoder_blocks", index]
            switch decoderKind {
            case .crossSelf: _ = CrossSelfBlock(block, width: decoder.width, heads: decoder.heads)
            case .cross: _ = CrossBlock(block, width: decoder.width, heads: decoder.heads)
            case .joint: _ = Block(block, width: decoder.width, heads: decoder.heads)
            }
        }
        _ = LayerNorm(all["decoder_norm"], width: decoder.width)
        _ = Linear(all["decoder_pred"], in: decoder.width, out: 3 * encoder.patchSize * encoder.patchSize)
        let tokens = decoderKind == .joint ? 3 : 1  // the mask token, and a frame embedding for either frame
        return all.count + tokens * decoder.width
    }
}

extension Parameters {
    fileprivate var count: Int { all.reduce(0) { $0 + $1.shape.reduce(1, *) } }
}
