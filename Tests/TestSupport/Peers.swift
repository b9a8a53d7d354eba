import Foundation

/// PyTorch and timm, which `make peers` installs outside the package: tests that compare with them are skipped where they are missing.
public enum Peers {
    /// The Python of the environment variable `TANDEM_PEERS`, else of the folder that `make peers` fills; nil where there is none.
    public static let python: String? = {
        let environment = ProcessInfo.processInfo.environment
        let folder = environment["TANDEM_PEERS"] ?? (environment["HOME"] ?? "") + "/.cache/tandem-peers"
        return FileManager.default.isExecutableFile(atPath: folder + "/bin/python") ? folder + "/bin/python" : nil
    }()

    /// Why tests of the peers are skipped.
    public static let absence = "no PyTorch and timm to compare with; 'make peers' installs them"

    /// Runs a Python script to its end. Returns what it printed, which is the error where it fails.
    @discardableResult
    public static func run(_ script: String, _ arguments: [String]) throws -> String {
        let (status, output) = try Programs.run(path: python!, [script] + arguments, environment: ["OMP_NUM_THREADS": "1"])
        if status != 0 { throw ScriptFailure(description: "\(script) ended with \(status): \(output)") }
        return output
    }

    private struct ScriptFailure: Error, CustomStringConvertible { let description: String }
}
