import Autograd
import Base
import Files
import Foundation
import WeightFiles

/// The checkpoints of one run: `step-00001234.safetensors`, the last few of them.
public struct CheckpointFolder {
    /// The folder, as it was named when it was opened.
    public let path: String
    /// How many checkpoints stay; older ones are removed.
    public let keep: Int

    /// Opens the folder, which must exist, and removes what a killed trainer left half written.
    public init(_ path: String, keep: Int) throws {
        precondition(keep >= 1, "a run without checkpoints cannot be continued")
        self.path = path
        self.keep = keep
        for name in try names() where name.hasSuffix(partialSuffix) { unlink(path + "/" + name) }
    }

    /// Where the checkpoint of a step lies.
    public func path(ofStep step: Int) -> String {
        path + "/" + Self.prefix + step.padded(to: 8) + Self.suffix
    }

    /// The steps that there are checkpoints of, ascending.
    public func steps() throws -> [Int] {
        try names().compactMap { name in
            guard name.hasPrefix(Self.prefix), name.hasSuffix(Self.suffix) else { return nil }
            return Int(name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count))
        }.sorted()
    }

    /// Writes the checkpoint of `metadata.step`, then removes the ones that are too many.
    /// - Parameter held: steps whose checkpoints stay whatever their age: not evaluated yet, or the best so far.
    public func write(
        _ metadata: Checkpoint.Metadata, _ parameters: ParameterStore, state: [StateArray] = [], constants: [Safetensors.Array] = [],
        held: Set<Int> = [], exchange: StepExchange? = nil
    ) throws {
        try Checkpoint.write(
            to: path(ofStep: metadata.step), metadata, parameters, state: state, constants: constants, exchange: exchange)
        try removeOld(held: held)
    }

    /// Removes the checkpoints that are too many, but for those of the steps that are held.
    public func removeOld(held: Set<Int>) throws {
        for step in try steps().dropLast(keep) where !held.contains(step) { unlink(path(ofStep: step)) }
    }

    /// Whether the disk has no room for two more checkpoints like the last one.
    public var isShortOfRoom: Bool {
        var (file, disk) = (stat(), statvfs())
        guard let last = try? steps().last, stat(path(ofStep: last), &file) == 0, statvfs(path, &disk) == 0 else { return false }
        return Double(disk.f_bavail) * Double(disk.f_frsize) < 2 * Double(file.st_size)
    }

    /// Where the best checkpoint lies, once there is one.
    public var bestPath: String { path + "/best" + Self.suffix }

    /// Has a step's checkpoint stay as `best.safetensors`, instead of the one before.
    public func keepAsBest(step: Int) throws {
        let partial = partialPath(of: bestPath)
        guard link(path(ofStep: step), partial) == 0 else {
            throw Failure("cannot keep \(path(ofStep: step)) as \(bestPath): \(String(cString: strerror(errno)))")
        }
        try keepPartial(of: bestPath)
    }

    /// The checkpoint to continue from: the last one that is whole, nil where there is none.
    /// - Parameter warn: told of each damaged file that was passed over.
    public func latest(warn: (String) -> Void) throws -> Checkpoint? {
        for step in try steps().reversed() {
            do {
                return try Checkpoint(path: path(ofStep: step))
            } catch {
                warn("passing over a damaged checkpoint: \(error)")
            }
        }
        return nil
    }

    /// The file of weights that `path` means: itself where it is a file; of a run's folder, or of a folder of checkpoints, the last
    /// checkpoint that is whole. Nothing in the folder is touched, since a training may be at work in it.
    public static func weights(at path: String, warn: (String) -> Void) throws -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else { return path }
        let inside = path + "/checkpoints"
        let folder = CheckpointFolder(reading: FileManager.default.fileExists(atPath: inside) ? inside : path)
        guard let checkpoint = try folder.latest(warn: warn) else {
            throw Failure("\(path) is a folder without a whole checkpoint; name a file of weights, or a run's folder")
        }
        return checkpoint.file.name
    }

    /// Opens a folder in which a training may be at work, and touches nothing in it.
    public init(reading path: String) {
        self.path = path
        keep = .max
    }

    private static let prefix = "step-"
    private static let suffix = ".safetensors"

    /// The names in the folder, apart from those that are no text, which nothing here is named by.
    private func names() throws -> [String] {
        do { return try FolderListing(path).names.compactMap(\.text) } catch { throw Failure("\(error)") }
    }
}
