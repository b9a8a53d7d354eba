import CFFmpeg
import Sampling

/// Reads pictures out of a still: the file once, the picture once, as ``VideoReader`` reads those of a video.
///
/// Note "as Pillow": the colours are those of Pillow's `convert("RGB")`. Grey becomes three equal channels, palettes their colours, four
/// colours of print the light that they leave; transparency is dropped, and 16 bits are rounded to eight. Chroma comes up as libjpeg and
/// libwebp bring it up. The picture stands upright by its Exif data, which Pillow leaves to others.
struct StillReader: ~Copyable {
    private let record: VideoRecord
    private let path: String
    private let tools: ReaderTools
    private let frame: Frame

    /// Opens a still and decodes it.
    ///
    /// - Parameter verifiesContent: whether the file's content must have the record's hash, not only its size.
    init(
        _ location: MediaLocation, record: VideoRecord, verifiesContent: Bool, tools: ReaderTools
    ) throws(MediaError) {
        self.record = record
        path = location.path
        self.tools = tools
        let image = try tools.costs.time(.open) { () throws(MediaError) in
            try CodedImage(location, record: record)
        }
        if verifiesContent { try record.requireContent(image.hash, at: path) }
        frame = try tools.costs.time(.decode) { () throws(MediaError) in try image.decodeStill() }
        tools.costs.framesDecoded += 1
    }

    /// Writes pictures; see ``VideoReader/read(_:into:)``.
    func read(_ requests: [PictureRequest], into destination: (Int) -> UnsafeMutableRawBufferPointer) throws(MediaError) {
        try record.require(requests, at: path)
        for index in requests.indices {
            let isDone = tools.crop(frame, of: record, requests[index], isStill: true, into: destination(index))
            if !isDone { throw Conversion.Side(frame).unreadable(in: path) }
        }
    }
}

extension CodedImage {
    /// Decodes the picture into planes; packed colours of any kind become planes of red, green and blue.
    fileprivate func decodeStill() throws(MediaError) -> Frame {
        let frame = try decode(for: .still)
        guard !frame.isDamaged else { throw MediaError(.undecodable, path, "the picture is damaged") }
        if PlanarFormat(frame, takesRGB: true) != nil { return frame }
        guard let packed = frame.converted(to: AV_PIX_FMT_RGB24) else { throw Conversion.Side(frame).unreadable(in: path) }
        // A big picture should not be in memory three times.
        _ = consume frame
        // Planes can be too narrow for the kernel; swscale cuts out of packed colours.
        guard packed.width >= PlanarFormat.minimumWidth, let planes = packed.converted(to: AV_PIX_FMT_GBRP) else { return packed }
        return planes
    }
}

extension VideoRecord {
    /// Decodes a still and records what it is.
    ///
    /// - Parameters:
    ///   - path: path of the file, relative to `folder`.
    ///   - folder: the media folder.
    /// - Throws: where the file does not open, is cut off, claims too much, or does not decode.
    public init(inspectingStill path: String, in folder: String) throws(MediaError) {
        self = try .inspectStill(path, at: MediaLocation(folder + "/" + path))
    }

    /// The same of a still at a location.
    static func inspectStill(_ path: String, at location: MediaLocation) throws(MediaError) -> VideoRecord {
        let image = try CodedImage(location)
        guard !image.header.isCutOff else { throw MediaError(.truncated, location.path, "it ends before its picture does") }
        let frame = try image.decodeStill()
        let orientation = image.header.orientation
        let (width, height) = orientation.isTransposed ? (frame.height, frame.width) : (frame.width, frame.height)
        return VideoRecord(
            stillAt: path, bytes: image.byteCount, width: width, height: height, orientation: orientation, contentHash: image.hash)
    }

    /// Decodes a still or a video, told apart by the ending of its name, and records what it is.
    public init(inspectingFile path: String, in folder: String) throws(MediaError) {
        self = try isStillFile(path) ? VideoRecord(inspectingStill: path, in: folder) : VideoRecord(inspecting: path, in: folder)
    }
}
