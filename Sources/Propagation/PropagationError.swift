/// Labels, frames or results that cannot be used, told in one sentence: what, where, and what to do.
public struct PropagationError: Error, CustomStringConvertible, Equatable, Sendable {
    public let description: String
    public init(_ description: String) { self.description = description }
}
