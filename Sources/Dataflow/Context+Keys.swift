import Base
import Foundation
import ZeroMQ

extension Context {
    /// A context with the keys of a folder, as far as its endpoints are tcp.
    ///
    /// - Parameters:
    ///   - keys: the folder; nil: tcp stays open, and is refused beyond this machine.
    ///   - isInsecure: allows what would be refused; a warning is logged at once and every `warningInterval` seconds.
    ///   - listening, connecting: endpoints that this process will listen at or connect to; nil where there is none.
    public convenience init(
        keys: String?, isInsecure: Bool = false, listening: Endpoint? = nil, connecting: Endpoint? = nil,
        warningInterval: TimeInterval = 60, shouldReload: @escaping @Sendable () -> Bool = { false },
        log: @escaping @Sendable (String) -> Void
    ) throws(Failure) {
        let (listens, connects) = (listening?.isTCP ?? false, connecting?.isTCP ?? false)
        var credentials: Credentials?
        if let keys, listens || connects { credentials = try Credentials(KeyFolder(keys), listens: listens, connects: connects) }
        self.init(credentials: credentials, isInsecure: isInsecure, shouldReload: shouldReload, log: log)

        guard let listening, listening.isReachable, isInsecure, !isGuarded else { return }
        let warning =
            "warning: \(listening) is open without keys (--insecure): whoever reaches it can take samples and feed others to the training"
        Thread.detachNewThread { [weak self] in
            while self != nil {
                log(warning)
                Thread.sleep(forTimeInterval: warningInterval)
            }
        }
    }
}
