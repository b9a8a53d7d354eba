import Foundation

/// Test data that is too big, or not ours, to be part of the package.
public enum Shared {
    /// The folder of the environment variable `TANDEM_SHARED`, else `../shared` beside the package, nil where there is none.
    public static let folder: String? = {
        let sibling = URL(fileURLWithPath: Programs.package).deletingLastPathComponent().appendingPathComponent("shared").path
        let folder = ProcessInfo.processInfo.environment["TANDEM_SHARED"] ?? sibling
        return FileManager.default.fileExists(atPath: folder) ? folder : nil
    }()
}
