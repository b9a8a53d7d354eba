extension ClipSampler {
    public var problem: (key: String, message: String)? {
        let scales = sampling.cropScales
        let checks: [SettingCheck] =
            clipChecks(frames: sampling.frames, tubelet: tubelet, stride: sampling.stride) + [
                ("sampling.cropScales", (1...16).contains(scales.count), "wants 1 to 16 numbers, [largest, ...]"),
                (
                    "sampling.cropScales", scales.allSatisfy { $0 > 0 && $0 <= 1 } && scales == scales.sorted(by: >),
                    "is \(scales): shares of the frame's shorter side from above 0 to 1, descending"
                ),
            ] + flipChecks(sampling.flip) + visitChecks(repeatedSampling, of: "clips")
            + patchChecks(imageSize: sampling.imageSize, patchSize: patchSize) + motionChecks
        let masks = maskChecks(of: "the clip", ratio: mask.ratio, patches: gridSize * gridSize, once: checks) { places in
            visibleCount(of: places)
        } hidesNothing: { places in
            "is \(mask.ratio), which hides none of \(places) places, so that there is no loss: raise it"
        }
        return (checks + masks + decoderChecks(once: checks + masks)).first { !$0.holds }.map { ($0.key, $0.message) }
    }

    /// What optical flow asks for, where a mask follows it.
    private var motionChecks: [SettingCheck] {
        followsMotion
            ? [
                (
                    "sampling.imageSize", sampling.imageSize >= BlockMatching.minimumSide,
                    "is \(sampling.imageSize), but motion is found in blocks of 8 x 8 pixels"
                )
            ] : []
    }

    /// What a decoder's mask asks for, where there is one.
    private func decoderChecks(once others: [SettingCheck]) -> [SettingCheck] {
        guard hasDecoderMask else { return [] }
        let range: SettingCheck = (
            "mask.decoderRatio", (0.25..<1).contains(decoderRatio),
            "is \(decoderRatio), but of four places the decoder leaves out one, two or three: from 0.25 to below 1"
        )
        guard range.holds, others.allSatisfy(\.holds) else { return [range] }
        let places = gridSize * gridSize
        return [
            range,
            (
                "sampling.imageSize", gridSize % 2 == 0,
                "is \(sampling.imageSize), \(gridSize) patches, which cells of 2 x 2 (mask.decoderRatio) do not divide"
            ),
            (
                "mask.ratio", visiblePlaceCount * 4 < places * decodedOfCell,
                "is \(mask.ratio), with which the decoder may find nothing hidden among what it predicts: raise it"
            ),
        ]
    }
}
