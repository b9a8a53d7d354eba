import Autograd
import Compute
import Layers

extension SiamMAE {
    /// What the future frame's patches ask of the past frame's in each of the decoder's blocks, and what those answer to:
    /// `[patches, width]` each, without CLS. Of a joint decoder, which has no such attention, nothing.
    ///
    /// - Parameter batch: one pair.
    public func crossAttention(of batch: SampleBatch, on tape: Tape) -> [QueriesAndKeys] {
        precondition(batch.count == 1 && settings.sampling.futures == 1 && settings.sampling.pasts == 1, "cross-attention of one pair")
        guard case .memory(let blocks) = decoder.blocks else { return [] }
        let (tokens, encoded) = encode(batch, on: tape)
        let embedded = decoder.embed(tokens, on: tape)
        let (past, future) = restoredTokens(batch, encoded)
        let memory = decoder.place(embedded, sources: past, on: tape)
        var x = decoder.place(embedded, sources: future, on: tape)
        let layout = SequenceLayout(count: 1, length: 1 + patchCount)
        return blocks.map { block in
            let (queries, keys) = block.queriesAndKeys(x, memory: memory, on: tape)
            let width = x.value.columns
            x = block(x, memory: memory, sequences: layout, readers: layout, memorySequences: layout, on: tape)
            return (Array(queries.dropFirst(width)), Array(keys.dropFirst(width)))
        }
    }
}

extension AnyRecipe {
    /// The same model, which sees two frames at a time even where it is trained with more.
    public var ofPairs: AnyRecipe {
        guard var settings = value as? SiamMAE.Settings else { return self }
        (settings.sampling.pasts, settings.sampling.futures) = (1, 1)
        return AnyRecipe(settings)
    }
}
