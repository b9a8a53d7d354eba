/// How long a process has received nothing from the batcher, or the batcher has had no decoders.
///
/// Counts only time that passed in small steps, so that a process that was itself stopped for a while does not blame the batcher.
struct SilenceTimer {
    private var silence = 0.0
    private var withoutDecoders = 0.0
    private var hasDecoders = true
    // The first line is due after three seconds, each further one five seconds later.
    private var sinceLine = 2.0

    /// A message of the batcher arrived.
    mutating func heard() { silence = 0 }

    /// The batcher reported its number of decoders.
    mutating func decoders(_ count: Int) {
        hasDecoders = count > 0
        if hasDecoders { withoutDecoders = 0 }
    }

    /// Time passed; returns a line where one is due.
    ///
    /// - Parameter refusal: why the batcher does not let this process in, where that is known.
    mutating func passed(_ seconds: Double, endpoint: Endpoint, refusal: String?) -> String? {
        let step = min(seconds, 0.5)
        silence += step
        if !hasDecoders { withoutDecoders += step }
        sinceLine += step
        guard sinceLine >= 5, silence >= 3 || !hasDecoders else { return nil }
        sinceLine = 0
        guard silence >= 3 else { return "waiting for decoders to join the batcher at \(endpoint)" }
        return "waiting for the batcher at \(endpoint)" + (refusal.map { ", which does not let this process in: \($0)" } ?? "")
    }

    /// The error where the silence took longer than the timeout; a timeout of 0 has none.
    func failure(timeout: Double, endpoint: Endpoint, refusal: String?) -> DataflowError? {
        guard timeout > 0 else { return nil }
        if silence > timeout {
            let remedy = refusal.map { "; \($0)" } ?? "; start one there, or check the endpoint"
            return DataflowError("no batcher answered at \(endpoint) for \(Int(timeout)) s" + remedy)
        }
        if withoutDecoders > timeout {
            return DataflowError(
                "no decoder joined the batcher at \(endpoint) for \(Int(timeout)) s; start tandem-decoder --connect \(endpoint)")
        }
        return nil
    }
}
