extension SiamMAE.Configuration {
    /// Floating-point operations of the matrix products of one training step with one pair: twice the multiply-adds of the forward pass,
    /// three times over, for the backward pass computes two products for each. What a pass computes again is not counted.
    ///
    /// - Parameter visible: patches of the future frame that the encoder sees.
    public func stepOperations(visible: Int) -> Double {
        func block(_ tokens: Int, _ width: Int) -> Double {
            linear(tokens, width, 12 * width) + attention(tokens, tokens, width)
        }
        func linear(_ tokens: Int, _ input: Int, _ output: Int) -> Double { Double(tokens) * Double(input) * Double(output) }
        func attention(_ queries: Int, _ keys: Int, _ width: Int) -> Double { 2 * linear(queries, keys, width) }

        let (patches, pixels) = (encoder.patchCount, 3 * encoder.patchSize * encoder.patchSize)
        var multiplyAdds = linear(patches + visible, pixels, encoder.width)
        for tokens in [1 + patches, 1 + visible] {
            multiplyAdds += Double(encoder.depth) * block(tokens, encoder.width) + linear(tokens, encoder.width, decoder.width)
        }
        let tokens = 1 + patches
        let cross = linear(tokens, decoder.width, 4 * decoder.width) + attention(tokens, tokens, decoder.width)
        multiplyAdds += Double(decoder.depth) * (cross + block(tokens, decoder.width)) + linear(tokens, decoder.width, pixels)
        return 3 * 2 * multiplyAdds
    }
}
