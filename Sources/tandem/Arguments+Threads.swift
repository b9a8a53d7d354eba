import ComputeCPU
import Console

extension Arguments {
    /// Declares `--threads`, the threads that compute: one a core if nothing, or 0, is said.
    mutating func threads() -> Int {
        let threads = value("--threads", "N", "threads that compute; 0: one a core", default: 0)
        if !(0...1024).contains(threads) { refuse("--threads wants 0 to 1024, not \(threads)") }
        return threads == 0 ? CPUBackend.availableCores : threads
    }
}
