/// A failure that is counted with others of its kind.
public protocol CountedFailure: Error {
    /// A few words, the same for all failures of the kind.
    var kind: String { get }
}

/// "3 cannot open, 1 too short": how often each occurred, the most frequent first.
public func listByFrequency(_ counts: [String: Int]) -> String {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
}
