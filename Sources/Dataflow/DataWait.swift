/// How long a trainer waited for data in some stretch of time, and what would help.
public struct DataWait: Equatable, Sendable {
    /// Share of the time.
    public var share: Double
    /// Decoders that were at work.
    public var decoders: Int

    /// A trainer that waits less than this has what it needs.
    public static let negligible = 0.01

    public init(share: Double, decoders: Int) {
        self.share = share
        self.decoders = decoders
    }

    /// Decoders that are missing: while a trainer waits it uses all that is decoded, so `n` decoders that leave it waiting for a share `w` of
    /// the time are to be `n / (1 - w)`.
    public var missingDecoders: Int {
        guard share > Self.negligible, decoders > 0 else { return 0 }
        // With a share near 1, the formula only says that next to nothing came: the result is limited to a thousand times the decoders.
        return Int((Double(decoders) * min(share / max(1 - share, 1e-9), 1000)).rounded(.up))
    }

    /// "data wait 60.0 %, add about 3 decoders".
    public var text: String {
        let tenths = Int((share * 1000).rounded())
        let missing = missingDecoders
        return "data wait \(tenths / 10).\(tenths % 10) %"
            + (missing == 0 ? "" : ", add about \(missing) decoder\(missing == 1 ? "" : "s")")
    }
}
