/// A MAT file that cannot be used, told in one sentence: which, and why.
public struct MatError: Error, CustomStringConvertible, Equatable, Sendable {
    public let description: String

    init(_ path: String, _ problem: String) { description = "\(path): \(problem)" }
}
