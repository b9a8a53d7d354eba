import Compute
import ComputeCPU
import Console

extension Device {
    /// Opens the device: the one place that knows the backends.
    ///
    /// - Parameter threads: threads of this machine that compute; 0: one a core.
    /// - Throws: where the machine lacks what the device needs.
    public func makeBackend(threads: Int = 0) throws -> any Backend {
        switch self {
        case .cpu: try CPUBackend(threads: threads == 0 ? CPUBackend.availableCores : threads)
        }
    }

    /// What this machine has for the device, for people: libraries, or what is missing.
    public var findings: [(name: String, value: String)] {
        switch self {
        case .cpu:
            do throws(CPUBackend.Unavailable) {
                let backend = try CPUBackend()
                let (openBLAS, oneDNN) = backend.libraries
                return [
                    ("OpenBLAS", openBLAS), ("oneDNN", oneDNN), ("compute", backend.summary), ("cores", "\(CPUBackend.availableCores)"),
                ]
            } catch {
                return [("compute", error.description), ("cores", "\(CPUBackend.availableCores)")]
            }
        }
    }
}

extension Arguments {
    /// Declares `--threads`, the threads that compute; 0 if nothing is said: one a core.
    public mutating func threads() -> Int {
        let threads = value("--threads", "N", "threads that compute; 0: one a core", default: 0)
        if !(0...1024).contains(threads) { refuse("--threads wants 0 to 1024, not \(threads)") }
        return threads
    }
}
