import Autograd
import Compute
import Layers

extension VisionTransformer {
    public func lastAttention(_ frames: Tensor, patches: [Int?], arena: Arena) -> [Float] {
        let cells = configuration.patch.perStep(height: frames.shape[2], width: frames.shape[3])
        let tape = Tape(arena: arena, isRecording: false)
        let (x, sequences) = embed(frames, sequences: [Array(0..<Int32(cells))], on: tape)
        return blocks.lastAttention(x, sequences, patches: patches, hasCLS: true, on: tape)
    }
}

extension ClipTransformer {
    public func lastAttention(_ frames: Tensor, patches: [Int?], arena: Arena) -> [Float] {
        let tape = Tape(arena: arena, isRecording: false)
        let (x, sequences) = embedWhole(frames, clips: 1, on: tape)
        return blocks.lastAttention(x, sequences, patches: patches, hasCLS: hasCLS, on: tape)
    }
}

extension [Block] {
    /// What tokens of one sequence look at in the last block; see ``EncoderModel/lastAttention(_:patches:arena:)``.
    fileprivate func lastAttention(
        _ tokens: Variable, _ sequences: SequenceLayout, patches: [Int?], hasCLS: Bool, on tape: Tape
    ) -> [Float] {
        var x = tokens
        for block in dropLast() { x = block(x, sequences: sequences, on: tape) }
        let first = hasCLS ? 1 : 0
        let weights = self[count - 1].attentionWeights(x, queries: patches.map { $0.map { first + $0 } ?? 0 }, on: tape)
        return weights.indices.filter { $0 % sequences.rows >= first }.map { weights[$0] }
    }
}
