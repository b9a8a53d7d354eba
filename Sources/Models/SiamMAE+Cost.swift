extension SiamMAE.Configuration {
    /// Floating-point operations of the matrix products of one training step with one pair: twice the multiply-adds of the forward pass,
    /// three times over, for the backward pass computes two products for each. What a pass computes again is not counted.
    ///
    /// - Parameters:
    ///   - past: patches of the past frame that the encoder sees.
    ///   - future: patches of the future frame that it sees.
    public func stepOperations(past: Int, future: Int) -> Double {
        func linear(_ tokens: Int, _ input: Int, _ output: Int) -> Double { Double(tokens) * Double(input) * Double(output) }
        func attention(_ tokens: Int, _ width: Int) -> Double { linear(tokens, width, 4 * width) + 2 * linear(tokens, tokens, width) }
        func mlp(_ tokens: Int, _ width: Int) -> Double { linear(tokens, width, 8 * width) }

        let (patches, pixels) = (encoder.patchCount, 3 * encoder.patchSize * encoder.patchSize)
        let sequences = encoderKind == .joint ? [1 + past + future] : [1 + past, 1 + future]
        var multiplyAdds = linear(past + future, pixels, encoder.width)
        for tokens in sequences {
            multiplyAdds += Double(encoder.depth) * (attention(tokens, encoder.width) + mlp(tokens, encoder.width))
            multiplyAdds += linear(tokens, encoder.width, decoder.width)
        }
        let tokens = 1 + patches * (decoderKind == .joint ? 2 : 1)
        let attentions = decoderKind == .crossSelf ? 2.0 : 1.0
        multiplyAdds += Double(decoder.depth) * (attentions * attention(tokens, decoder.width) + mlp(tokens, decoder.width))
        multiplyAdds += linear(tokens, decoder.width, pixels)
        return 3 * 2 * multiplyAdds
    }
}
