extension FramePairSampler {
    public var problem: (key: String, message: String)? {
        let checks = samplingChecks
        let masks = maskChecks(of: "the second frame", ratio: mask.ratio, pattern: mask.pattern, patches: patchCount, once: checks)
        return (checks + masks).first { !$0.holds }.map { ($0.key, $0.message) }
    }

    private var samplingChecks: [SettingCheck] {
        let gap = sampling.frameGap
        return [
            ("sampling.frameGap", gap.count == 2, "wants two whole numbers, [smallest, largest]"),
            ("sampling.frameGap", gap.allSatisfy { $0 >= 1 }, "is \(gap), but the frames of a pair differ: the smallest gap is 1"),
            ("sampling.frameGap", gap.allSatisfy { $0 <= 100_000 }, "is \(gap), above the limit of 100000 frames"),
            ("sampling.frameGap", gap == gap.sorted(), "is \(gap): the smallest comes first"),
        ] + cropChecks(area: sampling.cropArea, aspect: sampling.cropAspect, flip: sampling.flip)
            + visitChecks(repeatedSampling, of: "pairs") + patchChecks(imageSize: sampling.imageSize, patchSize: patchSize)
    }
}
