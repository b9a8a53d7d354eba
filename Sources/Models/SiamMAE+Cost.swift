import Layers

// What a model costs, from its sizes alone: nothing is allocated.
extension SiamMAE.Configuration {
    /// Learned numbers of the encoder.
    public var encoderParameterCount: Int {
        let parameters = Parameters()
        _ = VisionTransformer(encoder, parameters)
        return parameters.all.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }

    /// Learned numbers of the decoder, the mask token and the head.
    public var decoderParameterCount: Int {
        let (d, pixels) = (decoder.width, 3 * encoder.patchSize * encoder.patchSize)
        let block = 16 * d * d + 13 * d + 8 * d  // matrices and biases of cross-attention, self-attention and MLP; four layer norms
        return (encoder.width + 1) * d + d + decoder.depth * block + 2 * d + (d + 1) * pixels
    }

    /// Multiply-adds of one pair's forward pass; a training step takes three times as many, and a multiply-add is two FLOP.
    ///
    /// Only matrix products count: the linear layers, and attention's two. A sequence of L tokens of width D takes `12 L D² + 2 L² D` a
    /// block of the encoder, and `16 L D² + 4 L² D` a block of the decoder, which looks at another sequence of that length first.
    /// - Parameter visible: patches of the second frame that the encoder sees.
    public func multiplyAdds(visible: Int) -> Double {
        let (D, d, pixels) = (Double(encoder.width), Double(decoder.width), Double(3 * encoder.patchSize * encoder.patchSize))
        let patches = Double(encoder.patchCount)
        let (past, future) = (patches + 1, Double(visible) + 1)
        let embedding = (patches + Double(visible)) * pixels * D
        let encoderBlock = 12 * D * D * (past + future) + 2 * D * (past * past + future * future)
        let decoderBlock = 16 * past * d * d + 4 * past * past * d
        let ends = (past + future) * D * d + past * d * pixels
        return embedding + Double(encoder.depth) * encoderBlock + Double(decoder.depth) * decoderBlock + ends
    }
}
