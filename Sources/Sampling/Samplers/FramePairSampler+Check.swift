extension FramePairSampler {
    public var problem: (key: String, message: String)? {
        let checks = samplingChecks
        let masks = maskChecks(of: "the second frame", ratio: mask.ratio, pattern: mask.pattern, patches: patchCount, once: checks)
        return (checks + masks).first { !$0.holds }.map { ($0.key, $0.message) }
    }

    private var samplingChecks: [SettingCheck] {
        let gap = sampling.frameGap
        let counts = 1...Sampling.maximumFrames
        let frames = max(sampling.pasts, sampling.futures)
        return [
            ("sampling.frameGap", gap.count == 2, "wants two whole numbers, [smallest, largest]"),
            ("sampling.frameGap", gap.allSatisfy { $0 >= 1 }, "is \(gap), but the frames of a pair differ: the smallest gap is 1"),
            ("sampling.frameGap", gap.allSatisfy { $0 <= 100_000 }, "is \(gap), above the limit of 100000 frames"),
            ("sampling.frameGap", gap == gap.sorted(), "is \(gap): the smallest comes first"),
            ("sampling.futures", counts.contains(sampling.futures), "is \(sampling.futures): from 1 to \(counts.upperBound) future frames"),
            ("sampling.pasts", counts.contains(sampling.pasts), "is \(sampling.pasts): from 1 to \(counts.upperBound) past frames"),
            (
                "sampling.pasts", sampling.pasts == 1 || sampling.futures == 1,
                "is \(sampling.pasts), and sampling.futures \(sampling.futures): several past frames tell of one future frame, and several future"
                    + " frames are told of by one past frame; set one of them to 1"
            ),
            (
                "sampling.frameGap", gap.count != 2 || gap[1] &- gap[0] >= frames &- 1,
                "is \(gap), too few gaps for \(frames) different ones: widen it, or lower sampling.\(sampling.pasts > 1 ? "pasts" : "futures")"
            ),
        ] + cropChecks(area: sampling.cropArea, aspect: sampling.cropAspect, flip: sampling.flip)
            + visitChecks(repeatedSampling, of: "pairs") + patchChecks(imageSize: sampling.imageSize, patchSize: patchSize)
    }
}
