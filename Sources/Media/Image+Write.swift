import CFFmpeg
import Files
import Glibc
import Pictures

/// Writes colours as PNG.
///
/// - Parameter software: the name of the software that made the picture, kept in the file as PNG's text "Software".
public func writePNG(_ image: RGBImage, to path: String, software: String? = nil) throws(MediaError) {
    var bytes = try pngBytes(image)
    if let software { bytes.insert(contentsOf: softwareChunk(software), at: pngHeaderByteCount) }
    try bytes.withUnsafeBufferPointer { (bytes) throws(MediaError) in try replaceFile(path, with: UnsafeRawBufferPointer(bytes)) }
}

/// Whether a file is a PNG picture that ``writePNG(_:to:software:)`` wrote for this software.
public func isPNG(_ path: String, of software: String) -> Bool {
    let chunk = softwareChunk(software)
    guard let file = fopen(path, "rb") else { return false }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: pngHeaderByteCount + chunk.count)
    return fread(&bytes, 1, bytes.count, file) == bytes.count && bytes.starts(with: pngSignature) && bytes.suffix(chunk.count) == chunk[...]
}

private let pngSignature: [UInt8] = [0x89] + Array("PNG\r\n".utf8) + [0x1a, 0x0a]
/// The signature and the chunk IHDR, which is always the first one.
private let pngHeaderByteCount = 8 + 25

/// A chunk tEXt. Source: PNG specification, 11.3.3.3 and 5.3.
private func softwareChunk(_ software: String) -> [UInt8] {
    func bigEndian(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
    let content = Array("tEXtSoftware\0\(software)".utf8)
    let checksum = ~av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), ~0, content, content.count)
    return bigEndian(UInt32(content.count - 4)) + content + bigEndian(checksum)
}

/// The bytes of a PNG file of colours.
public func pngBytes(_ image: RGBImage) throws(MediaError) -> [UInt8] {
    let frame = frame(holding: image)
    let packet = try encoded(frame, as: AV_CODEC_ID_PNG, for: "a picture")
    return Array(packet.bytes)
}

/// Writes labels as PNG of 8 bits with ``davisPalette``.
public func writePNG(_ image: IndexImage, to path: String) throws(MediaError) {
    let frame = Frame(width: image.width, height: image.height, format: AV_PIX_FMT_PAL8)
    fill(frame, with: image.indices, bytesPerRow: image.width)
    let palette = UnsafeMutableRawPointer(frame.pointer.pointee.data.1!).assumingMemoryBound(to: UInt32.self)
    for (index, colour) in davisPalette.enumerated() {
        palette[index] = 0xff00_0000 | UInt32(colour.red) << 16 | UInt32(colour.green) << 8 | UInt32(colour.blue)
    }
    try encode(frame, as: AV_CODEC_ID_PNG, to: path)
}

/// Writes labels as grey PNG of 8 bits: a label is how bright its pixels are.
public func writeGreyPNG(_ image: IndexImage, to path: String) throws(MediaError) {
    let frame = Frame(width: image.width, height: image.height, format: AV_PIX_FMT_GRAY8)
    fill(frame, with: image.indices, bytesPerRow: image.width)
    try encode(frame, as: AV_CODEC_ID_PNG, to: path)
}

/// Writes colours as JPEG: full-range BT.601, 4:2:0, as cameras do.
///
/// - Parameter quality: libav's scale, 2 (best, the default) … 31 (worst).
public func writeJPEG(_ image: RGBImage, to path: String, quality: Int = 2) throws(MediaError) {
    let bytes = try jpegBytes(image, quality: quality, for: path)
    try bytes.withUnsafeBufferPointer { (bytes) throws(MediaError) in try replaceFile(path, with: UnsafeRawBufferPointer(bytes)) }
}

/// The bytes of a JPEG file of colours, as ``writeJPEG(_:to:quality:)`` writes it.
///
/// - Parameter quality: of figures by default, on which a page may show many.
public func jpegBytes(_ image: RGBImage, quality: Int = 4) throws(MediaError) -> [UInt8] {
    try jpegBytes(image, quality: quality, for: "a picture")
}

private func jpegBytes(_ image: RGBImage, quality: Int, for path: String) throws(MediaError) -> [UInt8] {
    precondition((1...31).contains(quality), "a JPEG quality of \(quality)")
    var source = Conversion.Side(width: Int32(image.width), height: Int32(image.height), format: AV_PIX_FMT_RGB24.rawValue)
    source.isFullRange = true
    var destination = source
    destination.format = AV_PIX_FMT_YUVJ420P.rawValue
    guard let scaler = Scaler(Conversion(source: source, destination: destination)) else {
        throw MediaError(.cannotWrite, path, "swscale cannot convert RGB of \(image.width)x\(image.height) to 4:2:0")
    }
    let packed = frame(holding: image)
    let converted = Frame(width: image.width, height: image.height, format: AV_PIX_FMT_YUVJ420P)
    converted.pointer.pointee.quality = Int32(quality) * FF_QP2LAMBDA
    scaler.scale(Planes(packed), into: Planes(converted))
    let packet = try encoded(converted, as: AV_CODEC_ID_MJPEG, for: path)
    return Array(packet.bytes)
}

private func frame(holding image: RGBImage) -> Frame {
    let frame = Frame(width: image.width, height: image.height, format: AV_PIX_FMT_RGB24)
    fill(frame, with: image.pixels, bytesPerRow: image.width * 3)
    return frame
}

private func fill(_ frame: borrowing Frame, with rows: [UInt8], bytesPerRow: Int) {
    let (base, stride, height) = (frame.pointer.pointee.data.0!, Int(frame.pointer.pointee.linesize.0), Int(frame.pointer.pointee.height))
    rows.withUnsafeBufferPointer { rows in
        for y in 0..<height { memcpy(base + y * stride, rows.baseAddress! + y * bytesPerRow, bytesPerRow) }
    }
}

/// Encodes one picture into a file; the file at `path` is whole at any time.
private func encode(_ frame: borrowing Frame, as id: AVCodecID, to path: String) throws(MediaError) {
    let packet = try encoded(frame, as: id, for: path)
    try replaceFile(path, with: packet.bytes)
}

/// Encodes one picture.
///
/// - Parameter path: what it is for, in messages.
private func encoded(_ frame: borrowing Frame, as id: AVCodecID, for path: String) throws(MediaError) -> Packet {
    silenceLibav()
    guard let codec = avcodec_find_encoder(id) else { throw MediaError(.cannotWrite, path, "this libavcodec has no encoder for it") }
    let encoder = CodecContext(codec)
    encoder.pointer.pointee.width = frame.pointer.pointee.width
    encoder.pointer.pointee.height = frame.pointer.pointee.height
    encoder.pointer.pointee.pix_fmt = AVPixelFormat(rawValue: frame.pointer.pointee.format)
    encoder.pointer.pointee.time_base = AVRational(num: 1, den: 1)
    encoder.pointer.pointee.thread_count = 1
    encoder.pointer.pointee.flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_QSCALE
    try check(avcodec_open2(encoder.pointer, codec, nil), .cannotWrite, path, "opening the encoder")
    let packet = Packet()
    try check(avcodec_send_frame(encoder.pointer, frame.pointer), .cannotWrite, path, "encoding")
    try check(avcodec_send_frame(encoder.pointer, nil), .cannotWrite, path, "encoding")
    try check(avcodec_receive_packet(encoder.pointer, packet.pointer), .cannotWrite, path, "encoding")
    return packet
}

extension Packet {
    fileprivate var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: pointer.pointee.data, count: Int(pointer.pointee.size))
    }
}

private func replaceFile(_ path: String, with bytes: UnsafeRawBufferPointer) throws(MediaError) {
    do { try writeAtomically(path, isSynced: false) { try $0.write(bytes) } } catch {
        throw MediaError(.cannotWrite, path, (error as? FileError)?.reason ?? "\(error)")
    }
}
