import CFFmpeg
import Glibc
import Pictures

/// Reads a JPEG or PNG file as colours, as OpenCV and Pillow do. Transparency is dropped, grey becomes three equal channels.
public func readImage(_ path: String) throws(MediaError) -> RGBImage {
    let image = try CodedImage(path)
    let frame = try image.decode()
    guard let picture = image.isJPEG ? coloursOfJPEG(frame) ?? RGBImage(frame) : RGBImage(frame) else {
        throw MediaError(.unsupported, path, "swscale cannot convert \(Conversion.Side(frame).formatName) to RGB")
    }
    return picture
}

/// Reads a PNG file of labels as the numbers stored in it: palette indices, not colours; grey values as written, 1 to 8 bits deep.
public func readIndexImage(_ path: String) throws(MediaError) -> IndexImage {
    let image = try CodedImage(path)
    guard let header = image.pngHeader else { throw MediaError(.unsupported, path, "labels are read from PNG files") }
    guard header.isIndexed else {
        throw MediaError(
            .unsupported, path,
            "a PNG of labels has a palette or is grey, at most 8 bits deep; this one has colours or 16 bits: save it as grey, or with a palette"
        )
    }
    let frame = try image.decode()
    let (width, height) = (Int(frame.pointer.pointee.width), Int(frame.pointer.pointee.height))
    switch AVPixelFormat(rawValue: frame.pointer.pointee.format) {
    case AV_PIX_FMT_MONOBLACK:
        let packed = packedRows(of: frame, bytesPerRow: (width + 7) / 8)
        let indices = (0..<width * height).map { i in
            packed[i / width * ((width + 7) / 8) + i % width / 8] >> UInt8(7 - i % width % 8) & 1
        }
        return IndexImage(width: width, height: height, indices: indices)
    case AV_PIX_FMT_PAL8:
        return IndexImage(width: width, height: height, indices: packedRows(of: frame, bytesPerRow: width))
    case AV_PIX_FMT_GRAY8:
        // libav spreads grey of 1, 2 or 4 bits over 0 ... 255.
        let step = UInt8(255 / ((1 << header.bitDepth) - 1))
        return IndexImage(width: width, height: height, indices: packedRows(of: frame, bytesPerRow: width).map { $0 / step })
    case AV_PIX_FMT_YA8:
        let step = UInt8(255 / ((1 << header.bitDepth) - 1))
        let pairs = packedRows(of: frame, bytesPerRow: width * 2)
        return IndexImage(width: width, height: height, indices: stride(from: 0, to: pairs.count, by: 2).map { pairs[$0] / step })
    default:
        throw MediaError(.unsupported, path, "libav decodes these labels to \(Conversion.Side(frame).formatName)")
    }
}

/// Reads a class map: as ``readIndexImage(_:)``, or of a picture in colours its first channel, for videowalk and CropMAE write three equal
/// ones where the classes have gaps.
public func readClassImage(_ path: String) throws(MediaError) -> IndexImage {
    do {
        return try readIndexImage(path)
    } catch {
        guard error.reason == .unsupported else { throw error }
        let image = try readImage(path)
        let first = stride(from: 0, to: image.pixels.count, by: 3).map { image.pixels[$0] }
        return IndexImage(width: image.width, height: image.height, indices: first)
    }
}

/// The rows of a frame's first plane without the gaps between them.
func packedRows(of frame: borrowing Frame, bytesPerRow: Int) -> [UInt8] {
    let (base, stride, height) = (frame.pointer.pointee.data.0!, Int(frame.pointer.pointee.linesize.0), Int(frame.pointer.pointee.height))
    return [UInt8](unsafeUninitializedCapacity: bytesPerRow * height) { rows, count in
        for y in 0..<height { memcpy(rows.baseAddress! + y * bytesPerRow, base + y * stride, bytesPerRow) }
        count = bytesPerRow * height
    }
}

/// Decodes a JPEG or PNG file as it is stored.
func decodeImage(_ path: String) throws(MediaError) -> Frame { try CodedImage(path).decode() }

/// A file's bytes and what its header says.
private struct CodedImage: ~Copyable {
    /// The fields of a PNG's header that libav does not hand on.
    struct PNGHeader {
        var bitDepth: Int
        var colourType: UInt8
        /// Grey (0), palette (3), grey with transparency (4); deeper than 8 bits is no index.
        var isIndexed: Bool { [0, 3, 4].contains(colourType) && bitDepth <= 8 }
    }

    private let path: String
    private let packet = Packet()

    init(_ path: String) throws(MediaError) {
        self.path = path
        silenceLibav()
        MediaLimits.boundLibav()
        let byteCount = try fileSize(path)
        guard byteCount <= MediaLimits.maximumImageBytes else { throw MediaError(.tooBig, path, "\(byteCount) bytes are no picture") }
        guard let file = fopen(path, "rb") else { throw MediaError(.cannotOpen, path, String(cString: strerror(errno))) }
        defer { fclose(file) }
        try check(av_new_packet(packet.pointer, Int32(byteCount)), .cannotRead, path, "making room for the file")
        guard fread(packet.pointer.pointee.data, 1, byteCount, file) == byteCount else {
            throw MediaError(.cannotRead, path, "the file ended early")
        }
    }

    private var bytes: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: packet.pointer.pointee.data, count: Int(packet.pointer.pointee.size))
    }

    var pngHeader: PNGHeader? {
        guard bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), bytes.count > 25 else { return nil }
        return PNGHeader(bitDepth: Int(bytes[24]), colourType: bytes[25])
    }

    var isJPEG: Bool { bytes.starts(with: [0xff, 0xd8]) }

    /// Width and height as the header claims them; nil where there is none.
    private var claimedSize: (width: Int, height: Int)? {
        func number(at place: Int, bytes count: Int) -> Int { (place..<place + count).reduce(0) { $0 << 8 | Int(bytes[$1]) } }
        if !isJPEG { return pngHeader.map { _ in (number(at: 16, bytes: 4), number(at: 20, bytes: 4)) } }
        // Segments up to the frame header, one of the markers SOF0 ... SOF15 (ITU T.81, B.1.1.3).
        var place = 2
        while place + 9 <= bytes.count {
            switch bytes[place + 1] {
            case 0xff: place += 1
            case 0xc4, 0xc8, 0xcc: place += 2 + number(at: place + 2, bytes: 2)
            case 0xc0...0xcf: return (number(at: place + 7, bytes: 2), number(at: place + 5, bytes: 2))
            default: place += 2 + number(at: place + 2, bytes: 2)
            }
        }
        return nil
    }

    func decode() throws(MediaError) -> Frame {
        guard isJPEG || pngHeader != nil else { throw MediaError(.unsupported, path, "this is neither JPEG nor PNG") }
        if let (width, height) = claimedSize, width > 0, height > Int(MediaLimits.maximumPixels) / width {
            throw MediaError(.tooBig, path, "a picture of \(width)x\(height)")
        }
        let codec = avcodec_find_decoder(isJPEG ? AV_CODEC_ID_MJPEG : AV_CODEC_ID_PNG)!
        let decoder = CodecContext(codec)
        decoder.pointer.pointee.thread_count = 1
        // libjpeg's inverse transform, which other software reads pictures with.
        decoder.pointer.pointee.idct_algo = FF_IDCT_INT
        decoder.pointer.pointee.max_pixels = MediaLimits.maximumPixels
        // A picture cut off in the middle is an error, not half a picture.
        decoder.pointer.pointee.err_recognition = AV_EF_EXPLODE
        try check(avcodec_open2(decoder.pointer, codec, nil), .cannotOpen, path, "opening the decoder")
        let frame = Frame()
        try check(avcodec_send_packet(decoder.pointer, packet.pointer), .cannotRead, path, "decoding")
        try check(avcodec_send_packet(decoder.pointer, nil), .cannotRead, path, "decoding")
        try check(avcodec_receive_frame(decoder.pointer, frame.pointer), .cannotRead, path, "decoding")
        return frame
    }
}
