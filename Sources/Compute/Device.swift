/// A device that maths can run on.
public enum Device: String, Codable, CaseIterable, Sendable {
    /// The processor, with a few of its cores.
    case cpu
}
