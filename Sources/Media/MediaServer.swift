/// How long to wait for an http server that does not answer, where to report that, and when to stop.
///
/// Refused connections, resets, silence and errors of a server are no property of a video: reading continues at the same position as soon
/// as the server is back. Only the answer that a file does not exist, 404 or 410, is about the file.
public struct MediaServer: Sendable {
    /// Seconds without a byte after which waiting ends; 0: never.
    public var timeout: Double
    /// Asked while waiting; true ends it.
    public var isStopped: @Sendable () -> Bool
    /// Takes a line now and then while there is something to wait for.
    public var log: @Sendable (String) -> Void

    public init(timeout: Double, isStopped: @escaping @Sendable () -> Bool, log: @escaping @Sendable (String) -> Void) {
        self.timeout = timeout
        self.isStopped = isStopped
        self.log = log
    }
}
