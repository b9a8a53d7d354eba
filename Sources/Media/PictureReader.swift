import Base
import Sampling

/// Reads the pictures of one video after another, as a decoder process does for its tickets.
public final class PictureReader {
    /// What reading has cost so far, all videos together.
    public var costs: ReadingCosts { tools.costs }
    private let tools = ReaderTools()
    private let media: MediaRoot
    private let server: MediaServer?
    private let verifiesContent: Bool
    /// Content hashes of what was read through, by the file's state and the first byte in it; of a server's files, which have no state, by
    /// URL.
    private var hashesOfFiles: [FileState: [Int: String]] = [:]
    private var hashesOfURLs: [String: String] = [:]

    /// How often a video is read again that is written to while it is read.
    private static let maximumTries = 5

    /// - Parameters:
    ///   - media: what the paths of records are relative to.
    ///   - server: how to read where that is a server.
    ///   - verifiesContent: whether a file's content must have the record's hash, not only its size. Each file is read through for that
    ///     once, and again after it was written to.
    public init(media: MediaRoot, server: MediaServer? = nil, verifiesContent: Bool = false) {
        self.media = media
        self.server = server
        self.verifiesContent = verifiesContent
    }

    /// Opens a video or a still and reads all pictures wanted of it in one pass; see ``VideoReader/read(_:into:)``.
    ///
    /// - Throws: also where the file is not the one that was prepared.
    public func read(
        _ requests: [PictureRequest], of record: VideoRecord, into destination: (Int) -> UnsafeMutableRawBufferPointer
    ) throws(MediaError) {
        let location = media.location(of: record, server: server)
        func read() throws(MediaError) {
            guard !record.isStill else {
                let still = try StillReader(location, record: record, verifiesContent: verifiesContent, tools: tools)
                return try still.read(requests, into: destination)
            }
            try VideoReader(location, record: record, tools: tools).read(requests, into: destination)
        }
        // A still is in memory whole when it is read.
        let hashesFile = verifiesContent && !record.isStill
        guard server == nil else {
            if hashesFile { try record.requireContent(hash(of: location), at: location.path) }
            return try read()
        }
        // If the file was written to while it was read, the pictures may be a mixture of old and new content, and errors may be due to
        // that: so the file is read again.
        for _ in 0..<Self.maximumTries {
            let state = try FileState(location.file)
            if hashesFile {
                try record.requireSize(location.byteCount(in: state.bytes), at: location.path)
                try record.requireContent(hash(of: location, state), at: location.path)
            }
            var failure: MediaError?
            do { try read() } catch { failure = error }
            guard try FileState(location.file) == state else { continue }
            if let failure { throw failure }
            return
        }
        throw MediaError(.changed, location.path, "somebody writes to it; wait until it is whole, and prepare again")
    }

    private func hash(of location: MediaLocation, _ state: FileState) throws(MediaError) -> String {
        if let known = hashesOfFiles[state]?[location.start] { return known }
        let hash = try PixelHash.hexadecimal(of: location)
        hashesOfFiles[state, default: [:]][location.start] = hash
        return hash
    }

    private func hash(of location: MediaLocation) throws(MediaError) -> String {
        if let known = hashesOfURLs[location.path] { return known }
        let hash = try PixelHash.hexadecimal(of: location)
        hashesOfURLs[location.path] = hash
        return hash
    }
}
