import Sampling

/// Reads the pictures of one video after another, as a decoder process does for its tickets.
public final class PictureReader {
    public var costs: ReadingCosts { tools.costs }
    private let tools = ReaderTools()
    private let media: MediaRoot
    private let server: MediaServer?

    /// - Parameters:
    ///   - media: what the paths of records are relative to.
    ///   - server: how to read where that is a server.
    public init(media: MediaRoot, server: MediaServer? = nil) {
        self.media = media
        self.server = server
    }

    /// Opens a video and reads all pictures wanted of it in one pass; see ``VideoReader/read(_:size:into:)``.
    public func read(
        _ views: [View], of record: VideoRecord, size: Int, into destination: (Int) -> UnsafeMutableRawBufferPointer
    ) throws(MediaError) {
        let reader = try VideoReader(path: media.location(of: record.path), record: record, server: server, tools: tools)
        let requests = views.map { FrameRequest(frame: $0.frame, box: $0.box, isFlipped: $0.isFlipped) }
        try reader.read(requests, size: size, into: destination)
    }
}
