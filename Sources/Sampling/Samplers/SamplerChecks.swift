// What several samplers ask of their settings: conditions on the value of a key, and what to say where they do not hold.

/// A condition on the value of a key, and what to say where it does not hold.
typealias SettingCheck = (key: String, holds: Bool, message: String)

/// How pictures are cut out of frames and mirrored.
func cropChecks(area: [Double], aspect: [Double], flip: Double) -> [SettingCheck] {
    areaChecks("sampling.cropArea", area) + aspectChecks(aspect) + flipChecks(flip)
}

/// How much of frames pictures show.
func areaChecks(_ key: String, _ area: [Double]) -> [SettingCheck] {
    [
        (key, area.count == 2, "wants two numbers, [smallest, largest]"),
        (
            key, isRange(area) && area.allSatisfy { $0 <= 1 },
            "is \(area), but a crop cannot be bigger than the image: shares of its area from above 0 to 1, ascending"
        ),
    ]
}

/// How wide the parts of frames are that pictures show.
func aspectChecks(_ aspect: [Double]) -> [SettingCheck] {
    [
        ("sampling.cropAspect", aspect.count == 2, "wants two numbers, [smallest, largest]"),
        (
            "sampling.cropAspect", isRange(aspect) && aspect.allSatisfy { (1e-2...1e2).contains($0) },
            "is \(aspect): width over height, from 0.01 to 100, ascending"
        ),
    ]
}

/// How long clips are, and their patches.
func clipChecks(frames: Int, tubelet: Int, stride: Int) -> [SettingCheck] {
    [
        ("sampling.frames", (1...1024).contains(frames), "is \(frames): from 1 to 1024 frames"),
        ("model.tubelet", tubelet >= 1, "is \(tubelet), a patch of no frames"),
        (
            "sampling.frames", frames % max(tubelet, 1) == 0,
            "is \(frames), which patches of \(tubelet) frames (model.tubelet) do not divide"
        ),
        ("sampling.stride", (1...100_000).contains(stride), "is \(stride): from 1 to 100000 frames"),
    ]
}

/// How often pictures are mirrored.
func flipChecks(_ flip: Double) -> [SettingCheck] {
    [("sampling.flip", (0...1).contains(flip), "is \(flip), but a chance lies between 0 and 1")]
}

/// How many samples a visit to a video gives; `noun` is what the sampler calls them.
func visitChecks(_ repeatedSampling: Int, of noun: String) -> [SettingCheck] {
    [
        ("sampling.repeatedSampling", repeatedSampling >= 1, "is \(repeatedSampling): take 1 or more \(noun) a video"),
        (
            "sampling.repeatedSampling", repeatedSampling <= SamplePlan.maximumReplicas,
            "is \(repeatedSampling), above the limit of \(SamplePlan.maximumReplicas)"
        ),
    ]
}

/// How pictures are divided into patches.
func patchChecks(imageSize: Int, patchSize: Int) -> [SettingCheck] {
    [("model.size", patchSize >= 1, "has a patch of no pixels")] + sizeChecks("sampling.imageSize", imageSize, patchSize: patchSize)
}

/// How large pictures are.
func sizeChecks(_ key: String, _ size: Int, patchSize: Int) -> [SettingCheck] {
    [
        (key, (1...2048).contains(size), "is \(size): from 1 to 2048 pixels"),
        (key, size % max(patchSize, 1) == 0, "is \(size), which patches of \(patchSize) pixels do not divide"),
    ]
}

/// How much of a picture is hidden. What a mask leaves is counted once `others` hold, which the count takes for granted.
///
/// - Parameters:
///   - picture: what the sampler calls the picture.
///   - ratio: the share that is hidden.
///   - patches: how many the picture has; of a lattice a square number.
func maskChecks(
    of picture: String, ratio: Double, pattern: MaskPattern, patches: @autoclosure () -> Int, once others: [SettingCheck]
) -> [SettingCheck] {
    maskChecks(of: picture, ratio: ratio, patches: patches(), once: others) {
        pattern.visibleCount(of: $0, ratio: ratio)
    } hidesNothing: { patches in
        let side = squareRoot(patches)
        return pattern == .random
            ? "is \(ratio), which hides no patch of \(patches), so that there is no loss: raise it"
            : "is \(ratio), with which the grid of visible patches is all \(side) x \(side), so that there is no loss: raise it"
    }
}

/// The same of a mask that leaves `visible` of a number of patches, with what to say of one that hides none.
func maskChecks(
    of picture: String, ratio: Double, patches: @autoclosure () -> Int, once others: [SettingCheck], visible: (Int) -> Int,
    hidesNothing: (_ patches: Int) -> String
) -> [SettingCheck] {
    let range: SettingCheck = (
        "mask.ratio", ratio >= 0 && ratio < 1, "is \(ratio): from 0 to below 1; at 1 the encoder sees nothing of \(picture)"
    )
    guard range.holds, others.allSatisfy(\.holds) else { return [range] }
    let patches = patches()
    let visible = visible(patches)
    return [
        range,
        ("mask.ratio", visible >= 1, "is \(ratio), which leaves no visible patch of \(patches): lower it"),
        ("mask.ratio", visible < patches, hidesNothing(patches)),
    ]
}

/// Whether these are two numbers above 0, ascending.
private func isRange(_ range: [Double]) -> Bool { range.count == 2 && range[0] > 0 && range[1] >= range[0] }
