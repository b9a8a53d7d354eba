import Compute

// Which row of which matrix is which token: all that is to know about masks once they are lists of visible patches.

extension SiamMAE {
    /// Tokens of a pair in the decoder's sequence: CLS and the future frame's patches, in a joint decoder both frames'.
    public var tokensPerPair: Int {
        1 + configuration.encoder.patchCount * (configuration.decoderKind == .joint ? 2 : 1)
    }

    /// For whole frames, CLS first, where each token stands among the encoder's: −1, a mask token, where nothing was visible.
    func restored(_ visible: VisiblePatches, _ sequences: SequenceLayout) -> (past: [[Int32]], future: [[Int32]]) {
        let (batch, length) = (visible.count, 1 + configuration.encoder.patchCount)
        let seenPast = visible.past(of: configuration.encoder.patchCount)
        func restored(_ patches: [Int32], cls: Int, first: Int) -> [Int32] {
            var sources = [Int32](repeating: -1, count: length)
            sources[0] = Int32(cls)
            for (index, patch) in patches.enumerated() { sources[1 + Int(patch)] = Int32(first + index) }
            return sources
        }
        let past = (0..<batch).map { pair in
            let cls = sequences[pair].lowerBound
            return restored(seenPast[pair], cls: cls, first: cls + 1)
        }
        let future = (0..<batch).map { pair in
            switch configuration.encoderKind {
            case .siamese:
                let cls = sequences[batch + pair].lowerBound
                return restored(visible.future[pair], cls: cls, first: cls + 1)
            case .joint:
                let cls = sequences[pair].lowerBound
                return restored(visible.future[pair], cls: cls, first: cls + 1 + seenPast[pair].count)
            }
        }
        return (past, future)
    }

    /// The frame of each token where a pair is one sequence: 0 past, 1 future, and none for CLS.
    func framesOfTokens(past: Int, future: Int) -> [Int32] {
        [-1] + [Int32](repeating: 0, count: past) + [Int32](repeating: 1, count: future)
    }

    /// For each row of a prediction the patch that it answers, numbered through past and future frames: none for visible patches and for
    /// what is no patch of a future frame.
    func targets(_ visible: VisiblePatches) -> [Int32] {
        let (batch, patches) = (visible.count, configuration.encoder.patchCount)
        let first = tokensPerPair - patches
        return visible.future.enumerated().flatMap { pair, own in
            var targets = [Int32](repeating: -1, count: first) + (0..<patches).map { Int32((batch + pair) * patches + $0) }
            for patch in own { targets[first + Int(patch)] = -1 }
            return targets
        }
    }

    /// The rows of a prediction that are patches of future frames.
    func predictedRows(pairs: Int) -> [Int32] {
        let layout = SequenceLayout(count: pairs, length: tokensPerPair)
        return (0..<pairs).flatMap { pair in layout[pair].suffix(configuration.encoder.patchCount).map { Int32($0) } }
    }
}
