import CFFmpeg
import Glibc
import Pictures

/// Reads a JPEG, PNG or WebP file as colours, as OpenCV and Pillow do. Transparency is dropped, grey becomes three equal channels.
public func readImage(_ path: String) throws(MediaError) -> RGBImage {
    let image = try CodedImage(MediaLocation(path))
    let frame = try image.decode(for: .picture)
    guard let picture = image.header.kind == .jpeg ? coloursOfJPEG(frame) ?? RGBImage(frame) : RGBImage(frame) else {
        throw MediaError(.unsupported, path, "swscale cannot convert \(Conversion.Side(frame).formatName) to RGB")
    }
    return picture
}

/// Reads a PNG file of labels as the numbers stored in it: palette indices, not colours; grey values as written, 1 to 8 bits deep.
public func readIndexImage(_ path: String) throws(MediaError) -> IndexImage {
    let image = try CodedImage(MediaLocation(path))
    let header = image.header
    guard header.kind == .png else { throw MediaError(.unsupported, path, "labels are read from PNG files") }
    guard header.isIndexed else {
        throw MediaError(
            .unsupported, path,
            "a PNG of labels has a palette or is grey, at most 8 bits deep; this one has colours or 16 bits: save it as grey, or with a palette"
        )
    }
    let frame = try image.decode(for: .picture)
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

/// Decodes a picture file as it is stored.
func decodeImage(_ path: String) throws(MediaError) -> Frame { try CodedImage(MediaLocation(path)).decode(for: .picture) }
