import Base
import Compute
import ComputeCPU
import Console

extension Device {
    /// Opens the device, for a model's maths and for label propagation: the one place that knows the backends.
    ///
    /// - Parameters:
    ///   - threads: threads of this machine that compute; 0: one a core.
    ///   - precision: what products are to be computed in, where that is known beforehand.
    /// - Throws: where the machine lacks what the device needs, or the device the precision.
    public func makeBackend(threads: Int = 0, for precision: Precision? = nil) throws -> any SimilarityBackend {
        let backend: any SimilarityBackend =
            switch self {
            case .cpu: CPUBackend(threads: threads)
            }
        if let precision { try backend.require(precision) }
        return backend
    }

    /// What this machine has for the device, for people: libraries, or what is missing.
    public var findings: [(name: String, value: String)] {
        switch self {
        case .cpu:
            let backend = CPUBackend()
            return [("oneDNN", backend.oneDNN), ("compute", backend.summary), ("cores", "\(CPUBackend.availableCores)")]
        }
    }
}

extension Backend {
    /// Refuses a precision that this device does not compute products in.
    package func require(_ precision: Precision) throws {
        guard !precisions.contains(precision) else { return }
        throw Failure(
            "products in \(precision) are not to be had on this device (\(summary)): take \(precisions.map(\.rawValue).joined(separator: " or "))"
        )
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
