/// As all keys, but that a plan names ``futures`` and ``pasts``, which came after the others, only where they are not 1: plans of pairs keep
/// their text, and their samples the fingerprint.
extension FramePairSampler.Sampling {
    private enum Keys: CodingKey {
        case imageSize, frameGap, futures, pasts, timeline, cropArea, cropAspect, flip, crops, repeatedSampling
    }

    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Keys.self)
        imageSize = try members.decode(Int.self, forKey: .imageSize)
        frameGap = try members.decode([Int].self, forKey: .frameGap)
        futures = try members.decodeIfPresent(Int.self, forKey: .futures) ?? 1
        pasts = try members.decodeIfPresent(Int.self, forKey: .pasts) ?? 1
        timeline = try members.decode(TimelineKind.self, forKey: .timeline)
        cropArea = try members.decode([Double].self, forKey: .cropArea)
        cropAspect = try members.decode([Double].self, forKey: .cropAspect)
        flip = try members.decode(Double.self, forKey: .flip)
        crops = try members.decode(CropSharing.self, forKey: .crops)
        repeatedSampling = try members.decode(Int.self, forKey: .repeatedSampling)
    }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Keys.self)
        try members.encode(imageSize, forKey: .imageSize)
        try members.encode(frameGap, forKey: .frameGap)
        let isPlan = encoder.userInfo[.isPlan] != nil
        if futures != 1 || !isPlan { try members.encode(futures, forKey: .futures) }
        if pasts != 1 || !isPlan { try members.encode(pasts, forKey: .pasts) }
        try members.encode(timeline, forKey: .timeline)
        try members.encode(cropArea, forKey: .cropArea)
        try members.encode(cropAspect, forKey: .cropAspect)
        try members.encode(flip, forKey: .flip)
        try members.encode(crops, forKey: .crops)
        try members.encode(repeatedSampling, forKey: .repeatedSampling)
    }
}

extension CodingUserInfoKey {
    /// Set where settings are written for a plan.
    static let isPlan = CodingUserInfoKey(rawValue: "isPlan")!
}
