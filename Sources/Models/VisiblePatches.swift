/// The patches that an encoder sees of some pairs of frames, in the order that their tokens have.
public struct VisiblePatches: Equatable, Sendable {
    /// Of each future frame; at least one patch, and not all.
    public var future: [[Int32]]
    /// Of each past frame; nil where all are seen whole.
    public var past: [[Int32]]?

    /// Past frames whole unless their patches are listed.
    public init(future: [[Int32]], past: [[Int32]]? = nil) {
        precondition(past.map { $0.count == future.count } ?? true, "\(past?.count ?? 0) past and \(future.count) future frames")
        precondition((future + (past ?? [])).allSatisfy { !$0.isEmpty }, "a frame of which nothing is visible")
        self.future = future
        self.past = past
    }

    /// Number of pairs.
    public var count: Int { future.count }

    /// Of each past frame, which has `patchCount` patches.
    func past(of patchCount: Int) -> [[Int32]] {
        past ?? Array(repeating: Array(0..<Int32(patchCount)), count: count)
    }
}
