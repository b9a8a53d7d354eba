import CFFmpeg
import Glibc
import Sampling

/// Cuts boxes out of decoded frames and scales them to small RGB squares, straight from the decoded planes.
///
/// Planar YUV, the format of nearly all videos, is left to ``PlanarCropper``. Other formats go through swscale, which smooths wherever it
/// shrinks. Its scalers are kept, because the pictures of a sample often share their box, and setting a scaler up costs as much as using it a
/// few times.
struct Cropper: ~Copyable {
    /// Scalers kept at most; more than the distinct boxes of one pass over a video.
    private static let maximumScalers = 64

    private var planar = PlanarCropper()
    private var scalers: [Conversion: KeptScaler] = [:]
    private var small = Frame(width: 1, height: 1, format: AV_PIX_FMT_RGB24)
    private var clock = 0

    /// A scaler and when it was last used. A class, so that a dictionary can hold it.
    private final class KeptScaler {
        let scaler: Scaler
        var lastUse = 0
        init(_ scaler: consuming Scaler) { self.scaler = scaler }
    }

    /// Writes the box of a frame as packed RGB `[size, size, 3]`.
    ///
    /// - Parameters:
    ///   - box: in upright square pixels of a picture of `uprightWidth` x `uprightHeight`; scaled to the frame where its size differs.
    ///   - isStill: whether colours are made as software makes those of picture files.
    /// - Returns: false where swscale does not know the frame's pixel format.
    mutating func crop(
        _ frame: borrowing Frame, box: CropBox, uprightWidth: Int, uprightHeight: Int, orientation: Orientation, isFlipped: Bool, size: Int,
        scaling: Scaling, isStill: Bool, into destination: UnsafeMutableRawBufferPointer
    ) -> Bool {
        precondition(destination.count >= size * size * 3, "\(destination.count) bytes for \(size)x\(size) RGB")
        let stored = orientation.storedBox(box, uprightWidth: uprightWidth, uprightHeight: uprightHeight)
        let pixels = destination.baseAddress!.assumingMemoryBound(to: UInt8.self)
        var turned = orientation
        turned.isMirroredHorizontally = orientation.isMirroredHorizontally != isFlipped
        if let format = PlanarFormat(frame, takesRGB: isStill) {
            let (width, height) = (Double(frame.width), Double(frame.height))
            let geometry = PlanarCropper.Geometry(
                size: size, scaling: scaling, format: format, chroma: isStill ? .triangle : .bicubic, width: frame.width,
                height: frame.height,
                columns: stored.x.start * width..<stored.x.end * width, rows: stored.y.start * height..<stored.y.end * height,
                isMirroredHorizontally: turned.isTransposed ? turned.isMirroredVertically : turned.isMirroredHorizontally,
                isMirroredVertically: turned.isTransposed ? turned.isMirroredHorizontally : turned.isMirroredVertically)
            planar.crop(frame, geometry, into: pixels)
            if turned.isTransposed { transpose(pixels, size: size) }
            return true
        }
        let columns = StoredRange(stored.x, of: frame.width)
        let rows = StoredRange(stored.y, of: frame.height)

        guard let layout = PlaneLayout(frame) else { return false }
        var source = Conversion.Side(frame)
        source.width = Int32(columns.count)
        source.height = Int32(rows.count)
        source.chromaOffsetX = Int32(columns.start & ((1 << layout.chromaShiftX) - 1))
        source.chromaOffsetY = Int32(rows.start & ((1 << layout.chromaShiftY) - 1))
        var target = Conversion.Side(width: Int32(size), height: Int32(size), format: AV_PIX_FMT_RGB24.rawValue)
        target.isFullRange = true
        guard let kept = scaler(for: Conversion(source: source, destination: target, isBilinear: scaling != .bicubic)) else { return false }

        if small.width != size { small = Frame(width: size, height: size, format: AV_PIX_FMT_RGB24) }
        kept.scaler.scale(layout.planes(of: frame, fromColumn: columns.start, row: rows.start), into: Planes(small))
        turned.copy(small, size: size, into: pixels)
        return true
    }

    private mutating func scaler(for conversion: Conversion) -> KeptScaler? {
        clock += 1
        if let kept = scalers[conversion] {
            kept.lastUse = clock
            return kept
        }
        guard let scaler = Scaler(conversion) else { return nil }
        if scalers.count >= Self.maximumScalers {
            scalers.remove(at: scalers.indices.min { scalers[$0].value.lastUse < scalers[$1].value.lastUse }!)
        }
        let kept = KeptScaler(scaler)
        kept.lastUse = clock
        scalers[conversion] = kept
        return kept
    }
}

/// Makes the rows of a square RGB picture its columns.
private func transpose(_ pixels: UnsafeMutablePointer<UInt8>, size: Int) {
    for y in 0..<size {
        for x in 0..<y {
            for channel in 0..<3 {
                let (a, b) = ((y * size + x) * 3 + channel, (x * size + y) * 3 + channel)
                (pixels[a], pixels[b]) = (pixels[b], pixels[a])
            }
        }
    }
}

/// The stored rows or columns that a box covers, in whole pixels.
private struct StoredRange {
    var start: Int
    var count: Int

    /// - Parameter share: the box's ends as shares of the whole, 0 ... 1.
    init(_ share: (start: Double, end: Double), of extent: Int) {
        start = min(extent - 1, max(0, Int((share.start * Double(extent)).rounded())))
        count = max(1, min(extent, Int((share.end * Double(extent)).rounded())) - start)
    }
}

/// Where the pixels of a format lie.
private struct PlaneLayout {
    let chromaShiftX: Int
    let chromaShiftY: Int
    private let bytesPerPixel: [4 of Int32]
    private let hasPalette: Bool

    /// nil for formats whose pixels share bytes, in which a crop cannot start anywhere.
    init?(_ frame: borrowing Frame) {
        guard let descriptor = av_pix_fmt_desc_get(AVPixelFormat(rawValue: frame.pointer.pointee.format)) else { return nil }
        guard descriptor.pointee.flags & UInt64(AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL) == 0 else { return nil }
        chromaShiftX = Int(descriptor.pointee.log2_chroma_w)
        chromaShiftY = Int(descriptor.pointee.log2_chroma_h)
        hasPalette = descriptor.pointee.flags & UInt64(AV_PIX_FMT_FLAG_PAL) != 0
        var steps: [4 of Int32] = .init(repeating: 0)
        var span = steps.mutableSpan
        span.withUnsafeMutableBufferPointer { av_image_fill_max_pixsteps($0.baseAddress!, nil, descriptor) }
        bytesPerPixel = steps
    }

    /// The planes of a frame, beginning at a pixel. Chroma, planes 1 and 2, begins at the group that the pixel belongs to.
    func planes(of frame: borrowing Frame, fromColumn x: Int, row y: Int) -> Planes {
        var planes = Planes(frame)
        planes.data.0? += y * Int(planes.strides.0) + x * Int(bytesPerPixel[0])
        guard !hasPalette else { return planes }
        planes.data.1? += (y >> chromaShiftY) * Int(planes.strides.1) + (x >> chromaShiftX) * Int(bytesPerPixel[1])
        planes.data.2? += (y >> chromaShiftY) * Int(planes.strides.2) + (x >> chromaShiftX) * Int(bytesPerPixel[2])
        planes.data.3? += y * Int(planes.strides.3) + x * Int(bytesPerPixel[3])
        return planes
    }
}

extension Orientation {
    /// The part of the stored picture that appears upright as a box, in shares of its width and height.
    fileprivate func storedBox(
        _ box: CropBox, uprightWidth: Int, uprightHeight: Int
    ) -> (x: (start: Double, end: Double), y: (start: Double, end: Double)) {
        func share(_ start: Int, _ count: Int, of extent: Int, isMirrored: Bool) -> (start: Double, end: Double) {
            let first = isMirrored ? extent - start - count : start
            return (Double(first) / Double(extent), Double(first + count) / Double(extent))
        }
        let horizontal = share(box.x, box.width, of: uprightWidth, isMirrored: isMirroredHorizontally)
        let vertical = share(box.y, box.height, of: uprightHeight, isMirrored: isMirroredVertically)
        return isTransposed ? (vertical, horizontal) : (horizontal, vertical)
    }

    /// Copies a square picture, turned upright.
    fileprivate func copy(_ square: borrowing Frame, size: Int, into destination: UnsafeMutablePointer<UInt8>) {
        let (base, stride) = (square.pointer.pointee.data.0!, Int(square.pointer.pointee.linesize.0))
        if self == Orientation() {
            for y in 0..<size { memcpy(destination + y * size * 3, base + y * stride, size * 3) }
            return
        }
        let (columnStep, rowStep) = isTransposed ? (stride, 3) : (3, stride)
        for y in 0..<size {
            let row = base + (isMirroredVertically ? size - 1 - y : y) * rowStep
            var target = destination + y * size * 3
            for x in 0..<size {
                let pixel = row + (isMirroredHorizontally ? size - 1 - x : x) * columnStep
                target[0] = pixel[0]
                target[1] = pixel[1]
                target[2] = pixel[2]
                target += 3
            }
        }
    }
}
