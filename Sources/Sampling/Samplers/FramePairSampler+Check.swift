/// A condition on the value of a key, and what to say where it does not hold.
private typealias Check = (key: String, holds: Bool, message: String)

extension FramePairSampler {
    public var problem: (key: String, message: String)? {
        (samplingChecks + maskChecks).first { !$0.holds }.map { ($0.key, $0.message) }
    }

    private var samplingChecks: [Check] {
        let (gap, size) = (sampling.frameGap, sampling.imageSize)
        return [
            ("sampling.frameGap", gap.count == 2, "wants two whole numbers, [smallest, largest]"),
            ("sampling.frameGap", gap.allSatisfy { $0 >= 1 }, "is \(gap), but the frames of a pair differ: the smallest gap is 1"),
            ("sampling.frameGap", gap.allSatisfy { $0 <= 100_000 }, "is \(gap), above the limit of 100000 frames"),
            ("sampling.frameGap", gap == gap.sorted(), "is \(gap): the smallest comes first"),
            ("sampling.cropArea", sampling.cropArea.count == 2, "wants two numbers, [smallest, largest]"),
            (
                "sampling.cropArea", isRange(sampling.cropArea) && sampling.cropArea.allSatisfy { $0 <= 1 },
                "is \(sampling.cropArea), but a crop cannot be bigger than the image: shares of its area from above 0 to 1, ascending"
            ),
            ("sampling.cropAspect", sampling.cropAspect.count == 2, "wants two numbers, [smallest, largest]"),
            (
                "sampling.cropAspect", isRange(sampling.cropAspect) && sampling.cropAspect.allSatisfy { (1e-2...1e2).contains($0) },
                "is \(sampling.cropAspect): width over height, from 0.01 to 100, ascending"
            ),
            ("sampling.flip", (0...1).contains(sampling.flip), "is \(sampling.flip), but a chance lies between 0 and 1"),
            ("sampling.repeatedSampling", repeatedSampling >= 1, "is \(repeatedSampling): take 1 or more pairs a video"),
            (
                "sampling.repeatedSampling", repeatedSampling <= SamplePlan.maximumReplicas,
                "is \(repeatedSampling), above the limit of \(SamplePlan.maximumReplicas)"
            ),
            ("sampling.imageSize", (1...2048).contains(size), "is \(size): from 1 to 2048 pixels"),
            ("model.size", patchSize >= 1, "has a patch of no pixels"),
            ("sampling.imageSize", size % max(patchSize, 1) == 0, "is \(size), which patches of \(patchSize) pixels do not divide"),
        ]
    }

    /// What a mask leaves is counted once the numbers hold that the count takes for granted.
    private var maskChecks: [Check] {
        let range: Check = (
            "mask.ratio", mask.ratio >= 0 && mask.ratio < 1,
            "is \(mask.ratio): from 0 to below 1; at 1 the encoder sees nothing of the second frame"
        )
        guard range.holds, samplingChecks.allSatisfy(\.holds) else { return [range] }
        let (patches, visible) = (patchCount, visiblePatchCount)
        let hidesNothing =
            mask.pattern == .random
            ? "is \(mask.ratio), which hides no patch of \(patches), so that there is no loss: raise it"
            : "is \(mask.ratio), with which the grid of visible patches is all \(gridSize) x \(gridSize), so that there is no loss: raise it"
        return [
            range,
            ("mask.ratio", visible >= 1, "is \(mask.ratio), which leaves no visible patch of \(patches): lower it"),
            ("mask.ratio", visible < patches, hidesNothing),
        ]
    }
}

/// Whether these are two numbers above 0, ascending.
private func isRange(_ range: [Double]) -> Bool { range.count == 2 && range[0] > 0 && range[1] >= range[0] }
