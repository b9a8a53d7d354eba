import CFFmpeg
import Files
import Sampling

/// A file that cannot be read or written as asked: what is wrong, which file, and libav's message where there is one.
public struct MediaError: CountedFailure, CustomStringConvertible, Equatable, Sendable {
    /// The kinds of failure, told apart because they are counted by kind; the raw value is the reason as people read it.
    public enum Reason: String, CaseIterable, Sendable {
        /// Nothing has this name, on the disk or on the server.
        case missing = "no such file"
        /// Not the file that was prepared.
        case changed = "changed"
        /// A name that is not UTF-8, or too long for the file that is to be written.
        case unusableName = "unusable name"
        /// A link to a folder that contains the media folder itself.
        case leadsAbove = "a link that leads back"
        /// It does not open, is empty, or is no file.
        case cannotOpen = "cannot open"
        /// The file's rights forbid reading. They can change without a change of the file.
        case noPermission = "no permission"
        /// It opens and holds no video.
        case noVideoStream = "no video stream"
        /// Its content is of a kind that is not read here.
        case unsupported = "unsupported format"
        /// Its bytes end too early.
        case truncated = "truncated"
        /// More pixels, or for a picture more bytes, than are taken.
        case tooBig = "too big"
        /// Fewer than two frames.
        case tooShort = "too short"
        /// No frame can be decoded, a requested one cannot, or too many are damaged.
        case undecodable = "undecodable frames"
        /// A frame is damaged that was whole when the file was prepared.
        case damagedFrame = "damaged frame"
        /// The frames' times run out of 64 bits.
        case brokenTimes = "unusable presentation times"
        /// Two frames in a row are too many seconds apart.
        case tooLongGap = "too long a gap"
        /// A frame, or a part of one, was asked for that the video does not have.
        case impossible = "impossible request"
        /// Reading it takes more time than a video may take, or was interrupted.
        case timedOut = "took too long"
        /// The server of the file does not answer as it should, which says nothing about the file.
        case serverAway = "cannot reach the server"
        /// The system cannot read its bytes, or a picture does not decode.
        case cannotRead = "cannot read"
        /// The encoder does not take the video's pictures.
        case cannotEncode = "cannot encode"
        /// The output folder does not take the file, which says nothing about the video.
        case cannotWrite = "cannot write"
    }

    /// The kind of failure.
    public let reason: Reason
    /// The file it is about.
    public let path: String
    /// What exactly is wrong; a phrase without a full stop.
    public let detail: String

    public init(_ reason: Reason, _ path: String, _ detail: String) {
        self.reason = reason
        self.path = path
        self.detail = detail
    }

    public var kind: String { reason.rawValue }

    public var description: String { "\(FilePath(path)): \(reason.rawValue): \(detail)" }
}

/// Turns libav's negative return codes into a ``MediaError``: the one place that knows its convention.
@discardableResult
func check(_ code: Int32, _ reason: MediaError.Reason, _ path: String, _ call: String) throws(MediaError) -> Int32 {
    guard code < 0 else { return code }
    throw MediaError(reason, path, "\(call): \(describe(code))")
}

/// libav's words for an error code.
func describe(_ code: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(AV_ERROR_MAX_STRING_SIZE)) { text in
        // For an unknown code av_strerror writes the number; its own error code can be ignored.
        av_strerror(code, text.baseAddress!, text.count)
        return String(cString: text.baseAddress!)
    }
}

/// The decoder or encoder needs a call of the other half of the send-receive pair first.
let wouldBlock = tandem_averror(EAGAIN)
/// The end of a file or of a drained codec.
let endOfFile = tandem_averror_eof()
/// The value of a time stamp that is not there.
let noTimestamp = tandem_no_pts()
