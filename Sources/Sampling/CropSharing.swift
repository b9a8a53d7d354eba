/// Whether the frames of a pair are cut and mirrored alike.
public enum CropSharing: String, Codable, CaseIterable, Sendable {
    /// One crop and one flip for both, so that only what moved differs.
    case shared
    /// A crop and a flip for each.
    case independent
}
