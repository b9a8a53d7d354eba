import ZeroMQ

extension Context {
    /// A context with the keys of a folder, as far as its endpoints are tcp.
    ///
    /// - Parameters:
    ///   - keys: the folder; nil: tcp stays open, and is refused beyond this machine.
    ///   - listening, connecting: endpoints that this process will listen at or connect to; nil where there is none.
    public convenience init(
        keys: String?, listening: Endpoint? = nil, connecting: Endpoint? = nil, shouldReload: @escaping @Sendable () -> Bool = { false },
        log: @escaping @Sendable (String) -> Void
    ) throws(KeyError) {
        let (listens, connects) = (listening?.isTCP ?? false, connecting?.isTCP ?? false)
        var credentials: Credentials?
        if let keys, listens || connects { credentials = try Credentials(KeyFolder(keys), listens: listens, connects: connects) }
        self.init(credentials: credentials, shouldReload: shouldReload, log: log)
    }
}
