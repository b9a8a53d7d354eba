import Base
import Classification
import Files
import Foundation
import Media
import Sampling

/// Reads the frames of examples that an encoder looks at, on one thread.
final class ExampleReader {
    private let root: String
    private let manifest: Manifest?
    private let views: Int
    private let size: Int
    /// Examples may lie anywhere: records have their whole paths, less the slash.
    private let reader = PictureReader(media: MediaRoot("/"))

    /// - Parameters:
    ///   - root: the data set's folder. Where it was prepared, its manifest spares reading each video through first.
    ///   - size: side of a frame in pixels.
    init(root: String, manifest: Manifest?, views: Int, size: Int) {
        (self.root, self.manifest, self.views, self.size) = (root, manifest, views, size)
    }

    /// The manifest of a data set's folder; nil where it was not prepared.
    static func manifest(of root: String) throws -> Manifest? {
        let path = root + "/" + Preparation.manifestName
        return FileManager.default.fileExists(atPath: path) ? try Manifest(contentsOf: path) : nil
    }

    /// The frames as packed RGB, `[frames, size, size, 3]`, those of a view behind those of the one before.
    func frames(of example: ClassificationDataset.Example) throws -> [UInt8] {
        let path = String(URL(fileURLWithPath: example.path).path.dropFirst())
        var record = try manifest?.record(of: example.name) ?? VideoRecord(inspectingFile: path, in: "/")
        record.path = path
        if let fault = record.fault { throw MediaError(.unsupported, example.path, fault) }
        let box = FrozenEncoder.box(width: record.width, height: record.height)
        let requests = FrozenEncoder.frames(of: record, views: views).map { PictureRequest(frame: $0, box: box, size: size) }
        let frameBytes = size * size * 3
        return try [UInt8](unsafeUninitializedCapacity: requests.count * frameBytes) { buffer, count in
            let memory = UnsafeMutableRawBufferPointer(buffer)
            try reader.read(requests, of: record) { index in
                UnsafeMutableRawBufferPointer(rebasing: memory[index * frameBytes..<(index + 1) * frameBytes])
            }
            count = requests.count * frameBytes
        }
    }
}
