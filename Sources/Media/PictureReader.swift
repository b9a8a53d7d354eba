import Sampling

/// Reads the pictures of one video after another, as a decoder process does for its tickets.
public final class PictureReader {
    public let costs = ReadingCosts()
    private let folder: String

    /// - Parameter folder: what the paths of records are relative to.
    public init(folder: String) {
        self.folder = folder
    }

    /// Opens a video and reads all pictures wanted of it in one pass; see ``VideoReader/read(_:size:into:)``.
    public func read(
        _ views: [View], of record: VideoRecord, size: Int, into destination: (Int) -> UnsafeMutableRawBufferPointer
    ) throws(MediaError) {
        let reader = try VideoReader(path: folder + "/" + record.path, record: record, costs: costs)
        let requests = views.map { FrameRequest(frame: $0.frame, box: $0.box, isFlipped: $0.isFlipped) }
        try reader.read(requests, size: size, into: destination)
    }
}
