/// How long to wait for an http server that is away, whom to tell, and when to stop.
///
/// A server's trouble, refused connections, resets, silence, errors of its own, is no property of a video: reading goes on where it was as
/// soon as the server is back. Only its word that a file is not there, 404 or 410, is about the file.
public struct MediaServer {
    /// Seconds without a byte after which waiting ends; 0: never.
    public var timeout: Double
    /// Asked while waiting; true ends it.
    public var isStopped: () -> Bool
    /// Takes a line now and then while there is something to wait for.
    public var log: (String) -> Void

    public init(timeout: Double, isStopped: @escaping () -> Bool, log: @escaping (String) -> Void) {
        self.timeout = timeout
        self.isStopped = isStopped
        self.log = log
    }
}
