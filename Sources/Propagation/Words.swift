// The words by which people choose, on a command line or elsewhere.

extension Benchmark: LosslessStringConvertible {
    /// The benchmark of a word, its raw value; nil for other words.
    public init?(_ description: String) { self.init(rawValue: description) }
    public var description: String { rawValue }
}

extension PropagationPreset: LosslessStringConvertible {
    /// The preset of a word, its raw value; nil for other words.
    public init?(_ description: String) { self.init(rawValue: description) }
    public var description: String { rawValue }
}

extension PropagationFamily: LosslessStringConvertible {
    /// The family of a word, its raw value; nil for other words.
    public init?(_ description: String) { self.init(rawValue: description) }
    public var description: String { rawValue }
}
