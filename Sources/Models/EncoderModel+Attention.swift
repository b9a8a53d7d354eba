import Autograd
import Compute
import Layers

extension VisionTransformer {
    public func lastAttention(_ frames: Tensor, patches: [Int?], arena: Arena) -> [Float] {
        let tape = Tape(arena: arena, isRecording: false)
        let (x, sequences) = embedWhole(frames, on: tape)
        return blocks.lastAttention(x, sequences, patches: patches, hasCLS: true, on: tape)
    }

    public func layers(_ frames: Tensor, arena: Arena) -> [EncoderLayer] {
        let tape = Tape(arena: arena, isRecording: false)
        let (x, sequences) = embedWhole(frames, on: tape)
        return blocks.layers(x, sequences, hasCLS: true, on: tape) { normalize($0, on: tape) }
    }

    /// What the first block gets of a whole picture.
    private func embedWhole(_ picture: Tensor, on tape: Tape) -> (tokens: Variable, sequences: SequenceLayout) {
        let cells = configuration.patch.perStep(height: picture.shape[2], width: picture.shape[3])
        return embed(picture, sequences: [Array(0..<Int32(cells))], on: tape)
    }
}

extension ClipTransformer {
    public func lastAttention(_ frames: Tensor, patches: [Int?], arena: Arena) -> [Float] {
        let tape = Tape(arena: arena, isRecording: false)
        let (x, sequences) = embedWhole(frames, clips: 1, on: tape)
        return blocks.lastAttention(x, sequences, patches: patches, hasCLS: hasCLS, on: tape)
    }

    public func layers(_ frames: Tensor, arena: Arena) -> [EncoderLayer] {
        let tape = Tape(arena: arena, isRecording: false)
        let (x, sequences) = embedWhole(frames, clips: 1, on: tape)
        return blocks.layers(x, sequences, hasCLS: hasCLS, on: tape) { norm($0, on: tape) }
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

    /// What each block makes of one sequence; see ``EncoderModel/layers(_:arena:)``.
    fileprivate func layers(
        _ tokens: Variable, _ sequences: SequenceLayout, hasCLS: Bool, on tape: Tape, normalize: (Variable) -> Variable
    ) -> [EncoderLayer] {
        var x = tokens
        return enumerated().map { index, block in
            let keys = block.keys(x, on: tape).dropFirst(hasCLS ? x.value.columns : 0)
            x = block(x, sequences: sequences, on: tape)
            let output = index == count - 1 ? normalize(x) : x
            return EncoderLayer(
                tokens: tape.backend.download(tape.patchTokens(of: output, sequences, hasCLS: hasCLS)), keys: [Float](keys))
        }
    }
}
