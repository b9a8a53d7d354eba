import Base
import Console
import Foundation

/// A file system of a few megabytes over a folder, which can be filled.
final class SmallDisk {
    private let folder: String
    private let filler: String
    private(set) var isFull = false

    /// nil where this user, or this machine, may not mount one.
    init?(over folder: String) {
        guard mount("tmpfs", folder, "tmpfs", 0, "size=64m") == 0 else { return nil }
        self.folder = folder
        filler = folder + "/filler"
    }

    /// Leaves room for nothing.
    func fill() throws {
        let descriptor = open(filler, O_WRONLY | O_CREAT, 0o644)
        guard descriptor >= 0 else { throw Failure("\(filler): \(String(cString: strerror(errno)))") }
        let block = [UInt8](repeating: 0, count: 4096)
        while write(descriptor, block, block.count) > 0 {}
        close(descriptor)
        isFull = true
    }

    func free() {
        unlink(filler)
        isFull = false
    }

    /// Takes it away and leaves its files in the folder beneath.
    func remove() {
        free()
        let kept = folder + ".kept"
        try? FileManager.default.copyItem(atPath: folder, toPath: kept)
        guard umount2(folder, Int32(MNT_DETACH)) == 0 else { return }
        try? FileManager.default.removeItem(atPath: folder)
        try? FileManager.default.moveItem(atPath: kept, toPath: folder)
    }
}
