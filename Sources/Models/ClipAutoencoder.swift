import Autograd
import Compute
import Layers

/// VideoMAE's masked autoencoder of clips: an encoder sees some patches of each clip, and a decoder predicts others from its tokens.
///
/// The decoder's sequence is the tokens that were seen and then one mask token for every patch to predict, each with its place in the
/// position table; they are never put back in order. Only the mask tokens become pixels.
/// Parameters have the names of MCG-NJU/VideoMAE modeling_pretrain.py (Tong et al., arXiv 2203.12602, section 3.3).
public struct ClipAutoencoder: ClipNetwork {
    public let encoder: ClipTransformer
    private let encoderToDecoder: Linear
    private let maskToken: Parameter
    private let blocks: [Block]
    private let norm: LayerNorm
    private let head: Linear
    private let positions: SinusoidTables

    /// Registers the parameters in `parameters`.
    /// - Parameter mlpRatio: numbers per token within a block's MLP, as a multiple of those outside; a fraction is cut off.
    public init(_ parameters: Parameters, _ configuration: EncoderConfiguration, _ size: ClipDecoderSize, mlpRatio: Double) {
        func hidden(_ width: Int) -> Int { Int(Double(width) * mlpRatio) }
        encoder = ClipTransformer(configuration, .videoMAE, parameters["encoder"], hidden: hidden(configuration.width))
        encoderToDecoder = Linear(
            parameters["encoder_to_decoder"], in: configuration.width, out: size.width, bias: PartialBias([nil]),
            weight: .frameworkDefault(in: configuration.width))
        maskToken = parameters.make("mask_token", [1, 1, size.width], .truncatedNormal(standardDeviation: 0.02, cut: 0.02))
        let decoder = parameters["decoder"]
        blocks = (0..<size.depth).map {
            Block(decoder["blocks", $0], width: size.width, heads: size.heads, .withoutKeyBias, hidden: hidden(size.width))
        }
        norm = LayerNorm(decoder["norm"], width: size.width)
        head = Linear(decoder["head"], in: size.width, out: configuration.patch.count)
        positions = SinusoidTables(width: size.width)
    }

    public func predict(
        _ clips: Tensor, visible: [[Int32]], decoded: [[Int32]], on tape: Tape
    ) -> (tokens: Variable, sequences: SequenceLayout, prediction: Variable) {
        let (tokens, seen) = encoder(clips, patches: visible, on: tape)
        let sequences = SequenceLayout(lengths: zip(visible, decoded).map { $0.count + $1.count })
        let sources = decoded.enumerated().flatMap { clip, own in
            seen[clip].map { Int32($0) } + [Int32](repeating: -1, count: own.count)
        }
        let places = zip(visible, decoded).flatMap { $0 + $1 }
        var x = tape.gatherTokens(
            encoderToDecoder(tokens, on: tape), maskToken: maskToken,
            table: positions.table(count: encoder.patchCount(clips, clips: visible.count), on: tape.backend),
            sources: tape.arena.indices(sources), positions: tape.arena.indices(places))
        for block in blocks { x = block(x, sequences: sequences, on: tape) }
        let last = decoded.enumerated().flatMap { clip, own in sequences[clip].suffix(own.count).map { Int32($0) } }
        x = tape.selectRows(x, sources: tape.arena.indices(last))
        return (tokens, seen, head(norm(x, on: tape), on: tape))
    }
}
