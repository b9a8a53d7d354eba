/// A data set and its metric, by which label propagation is measured in SiamMAE (table 1).
public enum Benchmark: String, CaseIterable, Codable, Sendable {
    /// Masks of objects (DAVIS-2017): J&F.
    case davis
    /// Joints of a person (JHMDB): PCK.
    case jhmdb
    /// Parts of persons (VIP): mIoU.
    case vip
}

extension Benchmark {
    /// The scores that papers print, the main one first, and their titles there.
    public var paperScores: [(name: String, title: String)] {
        switch self {
        case .davis: [("davis_jf", "J&F"), ("davis_j", "J"), ("davis_f", "F")]
        case .jhmdb: [("jhmdb_pck_0.1", "PCK@0.1"), ("jhmdb_pck_0.2", "PCK@0.2")]
        case .vip: [("vip_miou", "mIoU")]
        }
    }
}
