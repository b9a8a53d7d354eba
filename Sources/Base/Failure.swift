/// What cannot be done, told in one sentence: what, where, and what to do. Never holds a key.
public struct Failure: Error, CustomStringConvertible, Equatable, Sendable {
    public let description: String
    public init(_ description: String) { self.description = description }
}
