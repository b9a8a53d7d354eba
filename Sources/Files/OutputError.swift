/// Why a command may not write where it was told to, in one sentence.
package struct OutputError: Error, CustomStringConvertible, Equatable, Sendable {
    /// The kinds of reason, which a command may answer differently.
    package enum Reason: Sendable {
        /// Somebody's file would be replaced, or input and output would mix.
        case refused
        /// Another process fills the folder.
        case inUse
        /// The system does not let anything be written there.
        case unwritable
    }

    package let description: String
    /// Which kind of reason it is.
    package let reason: Reason

    init(_ description: String, _ reason: Reason = .refused) {
        self.description = description
        self.reason = reason
    }
}
