import Base
import CFFmpeg
import Glibc
import Sampling

/// A picture file in memory: JPEG, PNG or WebP, told apart by their first bytes whatever the file's name says.
struct CodedImage: ~Copyable {
    /// Passes over a JPEG picture; encoders make some ten.
    private static let maximumScans = 100

    let path: String
    let header: ImageHeader
    private let packet = Packet()

    /// Reads a file, all of it.
    ///
    /// - Parameter record: what the file is to be; one of another number of bytes is not read.
    init(_ location: MediaLocation, record: VideoRecord? = nil) throws(MediaError) {
        silenceLibav()
        MediaLimits.boundLibav()
        keepFreedMemory()
        path = location.path
        let remote: RemoteFile? = if let server = location.server { try RemoteFile(location, server: server) } else { nil }
        let byteCount = if let remote { remote.byteCount } else { try location.byteCount() }
        try record?.requireSize(byteCount, at: path)
        guard byteCount <= MediaLimits.maximumImageBytes else { throw MediaError(.tooBig, path, "\(byteCount) bytes are no picture") }
        try check(av_new_packet(packet.pointer, Int32(byteCount)), .cannotRead, path, "making room for the file")
        let memory = UnsafeMutableRawBufferPointer(start: packet.pointer.pointee.data, count: byteCount)
        if let remote { try remote.readAll(into: memory) } else { try readFile(location, into: memory) }
        guard let header = ImageHeader(UnsafeBufferPointer(memory.assumingMemoryBound(to: UInt8.self))) else {
            throw MediaError(.unsupported, path, "this is neither JPEG nor PNG nor WebP")
        }
        self.header = header
    }

    /// Bytes of the file.
    var byteCount: Int { Int(packet.pointer.pointee.size) }

    /// The MD5 sum of the file.
    var hash: String { PixelHash.hexadecimal(of: UnsafeRawBufferPointer(start: packet.pointer.pointee.data, count: byteCount), .md5) }

    /// Decodes the picture as it is stored, with a decoder of its own: tables of one file must not serve another.
    func decode(for purpose: ImagePurpose) throws(MediaError) -> Frame {
        if let (width, height) = header.size, width > 0, height > Int(MediaLimits.maximumPixels) / width {
            throw MediaError(.tooBig, path, "a picture of \(width)x\(height)")
        }
        guard header.scans <= Self.maximumScans else { throw MediaError(.tooBig, path, "\(header.scans) passes over the picture") }
        guard !header.isAnimation else { throw MediaError(.unsupported, path, "an animation; a picture stands still") }
        guard !header.hasUnknownColours else {
            throw MediaError(.unsupported, path, "four colours, and nothing says what they mean; save it as RGB")
        }
        guard let codec = avcodec_find_decoder(header.kind.codec) else {
            throw MediaError(.unsupported, path, "this libavcodec has no decoder for \(header.kind)")
        }
        let decoder = CodecContext(codec)
        decoder.pointer.pointee.thread_count = 1
        decoder.pointer.pointee.idct_algo = purpose.inverseTransform
        decoder.pointer.pointee.max_pixels = MediaLimits.maximumPixels
        // A picture cut off in the middle is an error, not half a picture.
        decoder.pointer.pointee.err_recognition = AV_EF_EXPLODE | purpose.checks
        try check(avcodec_open2(decoder.pointer, codec, nil), .cannotOpen, path, "opening the decoder")
        let frame = Frame()
        try check(avcodec_send_packet(decoder.pointer, packet.pointer), purpose.failure, path, "decoding")
        try check(avcodec_send_packet(decoder.pointer, nil), purpose.failure, path, "decoding")
        try check(avcodec_receive_frame(decoder.pointer, frame.pointer), purpose.failure, path, "decoding")
        return frame
    }
}

/// What a picture file is decoded for.
enum ImagePurpose {
    /// To be looked at, or labelled, by itself.
    case picture
    /// To be one of many that are learned from.
    case still

    /// libjpeg's own transform, or the one that videos are decoded by, which is faster: of either, one sample in fifty is a level off
    /// libjpeg-turbo's, and it is the same on every processor.
    fileprivate var inverseTransform: Int32 { self == .picture ? FF_IDCT_INT : FF_IDCT_SIMPLE }

    /// Checksums that must be right beside the picture's own structure.
    fileprivate var checks: Int32 { self == .picture ? 0 : AV_EF_CRCCHECK }

    /// Why a picture that does not decode cannot be used. A still is one for good, and not tried again.
    fileprivate var failure: MediaError.Reason { self == .picture ? .cannotRead : .undecodable }
}

extension ImageHeader.Kind {
    fileprivate var codec: AVCodecID {
        switch self {
        case .jpeg: AV_CODEC_ID_MJPEG
        case .png: AV_CODEC_ID_PNG
        case .webp: AV_CODEC_ID_WEBP
        }
    }
}

/// Fills memory with the bytes of a file of this machine.
private func readFile(_ location: MediaLocation, into memory: UnsafeMutableRawBufferPointer) throws(MediaError) {
    let path = location.path
    guard let file = fopen(location.file, "rb") else {
        throw MediaError(errno == EACCES ? .noPermission : .cannotOpen, path, String(cString: strerror(errno)))
    }
    defer { fclose(file) }
    guard fseek(file, location.start, SEEK_SET) == 0, fread(memory.baseAddress, 1, memory.count, file) == memory.count else {
        throw MediaError(.cannotRead, path, "the file ended early")
    }
}
