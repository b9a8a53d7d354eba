import Base
import Classification
import Files
import Foundation
import Media
import Sampling

/// Reads the frames of examples that an encoder looks at, on one thread.
final class ExampleReader {
    private let manifest: Manifest?
    private let choice: FrameChoice
    /// Examples may lie anywhere: records have their whole paths, less the slash.
    private let reader = PictureReader(media: MediaRoot("/"))

    /// - Parameter manifest: of the data set's folder, where that was prepared: it spares reading each video through first.
    init(manifest: Manifest?, _ choice: FrameChoice) { (self.manifest, self.choice) = (manifest, choice) }

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
        let (requests, frameBytes) = (choice.requests(of: record), choice.frameBytes)
        return try [UInt8](unsafeUninitializedCapacity: requests.count * frameBytes) { buffer, count in
            let memory = UnsafeMutableRawBufferPointer(buffer)
            try reader.read(requests, of: record) { index in
                UnsafeMutableRawBufferPointer(rebasing: memory[index * frameBytes..<(index + 1) * frameBytes])
            }
            count = requests.count * frameBytes
        }
    }
}
