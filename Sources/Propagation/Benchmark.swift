/// A data set and its metric, by which label propagation is measured in SiamMAE (table 1).
public enum Benchmark: String, CaseIterable, Codable, Sendable {
    /// Masks of objects (DAVIS-2017): J&F.
    case davis
    /// Joints of a person (JHMDB): PCK.
    case jhmdb
    /// Parts of persons (VIP): mIoU.
    case vip
}
