import Foundation

/// What cannot be done, told in one sentence: what, where, and what to do. Never holds a key.
public struct Failure: Error, CustomStringConvertible, Equatable, Sendable {
    public let description: String
    /// Takes the sentence as it is: nothing in it is escaped.
    public init(_ description: String) { self.description = description }
}

/// An error as a person is told of it: ours are sentences already; of the system's the file and the reason, without what else they hold.
public func sentence(of error: any Error) -> String {
    switch error {
    case let error as CocoaError:
        let reason = (error.underlying as? POSIXError).map { String(cString: strerror($0.code.rawValue)) } ?? error.localizedDescription
        return ((error.filePath ?? error.url?.path).map { $0 + ": " } ?? "") + reason
    case let error as POSIXError: return String(cString: strerror(error.code.rawValue))
    default: return "\(error)"
    }
}
