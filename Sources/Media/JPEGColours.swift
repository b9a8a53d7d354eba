import CFFmpeg
import Pictures

/// The colours of a decoded JPEG file whose chroma is full size or halved, as libjpeg makes them, and so OpenCV and Pillow; nil for others.
///
/// Halved chroma comes up by a triangle filter: three parts of the nearer sample and one of the other, in integers whose rounding
/// alternates between neighbours. swscale would interpolate it bicubically.
///
/// Source: libjpeg-turbo: jdsample.c, `h2v1_fancy_upsample`, `h2v2_fancy_upsample`; jdcolor.c.
func coloursOfJPEG(_ frame: borrowing Frame) -> RGBImage? {
    let isHalf: (across: Bool, down: Bool)
    switch AVPixelFormat(rawValue: frame.pointer.pointee.format) {
    case AV_PIX_FMT_YUVJ420P: isHalf = (true, true)
    case AV_PIX_FMT_YUVJ422P: isHalf = (true, false)
    case AV_PIX_FMT_YUVJ444P: isHalf = (false, false)
    default: return nil
    }
    let (width, height) = (frame.width, frame.height)
    let chromaWidth = isHalf.across ? (width + 1) / 2 : width
    let chromaHeight = isHalf.down ? (height + 1) / 2 : height
    let data = frame.pointer.pointee.data
    let strides = frame.pointer.pointee.linesize
    let planes = [(data.0!, Int(strides.0)), (data.1!, Int(strides.1)), (data.2!, Int(strides.2))]

    var pixels = [UInt8](repeating: 0, count: width * height * 3)
    var blue = [Int](repeating: 0, count: width)
    var red = blue
    for y in 0..<height {
        func upsample(_ plane: (UnsafeMutablePointer<UInt8>, Int), into row: inout [Int]) {
            let near = isHalf.down ? y / 2 : y
            let next = isHalf.down ? min(max(near + (y % 2 == 0 ? -1 : 1), 0), chromaHeight - 1) : y
            upsampleRow(plane.0 + near * plane.1, plane.0 + next * plane.1, chromaWidth, isHalf, into: &row)
        }
        upsample(planes[1], into: &blue)
        upsample(planes[2], into: &red)
        let luma = planes[0].0 + y * planes[0].1
        pixels.withUnsafeMutableBufferPointer { pixels in
            for x in 0..<width {
                let (value, cb, cr) = (Int(luma[x]), blue[x] - 128, red[x] - 128)
                let at = (y * width + x) * 3
                pixels[at] = UInt8(clamping: value + (91881 * cr + 32768) >> 16)
                pixels[at + 1] = UInt8(clamping: value + (-22554 * cb - 46802 * cr + 32768) >> 16)
                pixels[at + 2] = UInt8(clamping: value + (116130 * cb + 32768) >> 16)
            }
        }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
}

/// A row of chroma at full width, out of the nearest row and the next nearest.
private func upsampleRow(
    _ near: UnsafePointer<UInt8>, _ next: UnsafePointer<UInt8>, _ count: Int, _ isHalf: (across: Bool, down: Bool), into row: inout [Int]
) {
    guard isHalf.across else {
        for x in row.indices { row[x] = Int(near[x]) }
        return
    }
    // Sums of rows count four times, or once where there is but one row.
    func sum(_ x: Int) -> Int { isHalf.down ? 3 * Int(near[x]) + Int(next[x]) : Int(near[x]) }
    let (shift, left, right) = isHalf.down ? (4, 8, 7) : (2, 1, 2)
    for x in row.indices {
        let own = x / 2
        let isLeft = x % 2 == 0
        let neighbour = min(max(own + (isLeft ? -1 : 1), 0), count - 1)
        row[x] = (3 * sum(own) + sum(neighbour) + (isLeft ? left : right)) >> shift
    }
}
