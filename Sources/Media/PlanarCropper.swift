import CFFmpeg
import CPixels
import Sampling

// Note "siting": where chroma lies. MPEG-2, H.264 and later codecs put chroma on the left one of two pixels, and libav's frames say so:
// FFmpeg 8 converts them like this. FFmpeg 5.1 takes chroma to lie in the middle, as do readers that repeat it for both pixels. A crop that
// follows one of the two is half a pixel of colour off the other, and its worst crops fall below 45 dB beside it. With chroma halfway
// between, a crop is a quarter of a pixel off both, and no crop falls below. Where frames do not say left, both put chroma in the middle,
// and so does the crop.

/// Resizes parts of planar YUV pictures to small RGB squares, straight from the decoded planes.
///
/// The result equals enlarging chroma, converting the whole frame to RGB and resizing the part, without rounding in between:
/// one filter a plane does it. Chroma that a stream puts on the left pixel is taken from halfway to the middle, see note "siting". Tables
/// and memory are kept, and the tables computed again only where the part changes, because the pictures of a sample often share theirs.
struct PlanarCropper: ~Copyable {
    /// A part of a stored picture, and how it is laid into the result.
    struct Geometry: Equatable {
        var size: Int
        var scaling: Scaling
        var format: PlanarFormat
        var chroma: ChromaFilter
        var width: Int
        var height: Int
        /// In samples; a part may begin and end inside one.
        var columns: Range<Double>
        var rows: Range<Double>
        var isMirroredHorizontally: Bool
        var isMirroredVertically: Bool
    }

    private var geometry: Geometry?
    private var columns = ResizeAxis()
    private var rows = ResizeAxis()
    private var chromaColumns = ResizeAxis()
    private var chromaRows = ResizeAxis()
    private var scratch = KeptMemory<Float>()
    /// Asked for once: the environment has a say in it.
    private static let instructions = tandem_best_instructions()

    /// Writes packed RGB `[size, size, 3]`.
    mutating func crop(_ frame: borrowing Frame, _ geometry: Geometry, into destination: UnsafeMutablePointer<UInt8>) {
        if geometry != self.geometry { prepare(geometry) }
        var planes = Planes(frame)
        if geometry.format.isGrey {
            // Luma stands in for chroma, which has no weight here.
            planes.data = (planes.data.0, planes.data.0, planes.data.0, nil)
            planes.strides = (planes.strides.0, planes.strides.0, planes.strides.0, 0)
        } else if geometry.format.isRGB {
            // They are stored green, blue, red.
            planes.data = (planes.data.2, planes.data.0, planes.data.1, nil)
            planes.strides = (planes.strides.2, planes.strides.0, planes.strides.1, 0)
        }
        let chromaWidth = Int32(geometry.format.chromaExtent(geometry.width, shift: geometry.format.chromaShiftX))
        func chroma(_ samples: UnsafeMutablePointer<UInt8>?, _ stride: Int32) -> tandem_plane {
            tandem_plane(
                samples: samples, stride: Int(stride), width: chromaWidth, columns: chromaColumns.pointers, rows: chromaRows.pointers)
        }
        let list: [3 of tandem_plane] = [
            tandem_plane(
                samples: planes.data.0, stride: Int(planes.strides.0), width: Int32(geometry.width), columns: columns.pointers,
                rows: rows.pointers), chroma(planes.data.1, planes.strides.1), chroma(planes.data.2, planes.strides.2),
        ]
        list.span.withUnsafeBufferPointer { list in
            scratch.reserve(tandem_crop_scratch(list.baseAddress, geometry.size))
            tandem_crop(
                destination, list.baseAddress, geometry.format.color(of: frame), geometry.size, geometry.format.samples, scratch.start,
                Self.instructions)
        }
    }

    private mutating func prepare(_ geometry: Geometry) {
        self.geometry = geometry
        let format = geometry.format
        columns.set(
            geometry.scaling, size: geometry.size, part: geometry.columns, extent: geometry.width,
            isMirrored: geometry.isMirroredHorizontally)
        rows.set(
            geometry.scaling, size: geometry.size, part: geometry.rows, extent: geometry.height,
            isMirrored: geometry.isMirroredVertically)
        chromaColumns.setEnlarged(
            columns, by: geometry.chroma, shift: format.chromaShiftX,
            extent: format.chromaExtent(geometry.width, shift: format.chromaShiftX), site: format.chromaSiteX)
        chromaRows.setEnlarged(
            rows, by: geometry.chroma, shift: format.chromaShiftY,
            extent: format.chromaExtent(geometry.height, shift: format.chromaShiftY), site: 0.5)
    }
}

/// A planar pixel format: Y, U, V, each sample one little-endian number; or Y alone; or red, green, blue, where those are asked for. An alpha
/// plane may follow and is ignored.
struct PlanarFormat: Equatable {
    let isGrey: Bool
    let isRGB: Bool
    let chromaShiftX: Int
    let chromaShiftY: Int
    /// Where chroma lies along x among the pixels that it stands for: 0 on the first, 0.5 in the middle.
    let chromaSiteX: Double
    /// Bits of a sample, 8 ... 16; above 8 a sample takes two bytes.
    let depth: Int

    /// Samples that the kernel reads at once.
    static let minimumWidth = 16

    /// nil for frames of other formats, and for frames with a plane narrower than ``minimumWidth``.
    ///
    /// - Parameter takesRGB: whether planes of red, green and blue are taken, of 8 bits.
    init?(_ frame: borrowing Frame, takesRGB: Bool) {
        let descriptor = av_pix_fmt_desc_get(AVPixelFormat(rawValue: frame.pointer.pointee.format))
        guard let descriptor = descriptor?.pointee else { return nil }
        let others = UInt64(AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT)
        isRGB = descriptor.flags & UInt64(AV_PIX_FMT_FLAG_RGB) != 0
        guard descriptor.flags & others == 0, !isRGB || takesRGB && descriptor.comp.0.depth == 8 else { return nil }
        isGrey = descriptor.nb_components < 3
        depth = Int(descriptor.comp.0.depth)
        chromaShiftX = Int(descriptor.log2_chroma_w)
        chromaShiftY = Int(descriptor.log2_chroma_h)
        // See note "siting".
        chromaSiteX = frame.pointer.pointee.chroma_location == AVCHROMA_LOC_LEFT ? 0.25 : 0.5
        let bytes = depth > 8 ? 2 : 1
        let components = [descriptor.comp.0, descriptor.comp.1, descriptor.comp.2].prefix(isGrey ? 1 : 3)
        for (component, plane) in zip(components, isRGB ? [2, 0, 1] : [0, 1, 2]) {
            guard component.plane == plane, component.step == bytes, component.shift == 0, component.offset == 0,
                component.depth == depth
            else { return nil }
        }
        guard (8...16).contains(depth), chromaExtent(frame.width, shift: chromaShiftX) >= Self.minimumWidth else { return nil }
    }

    var samples: tandem_samples { isRGB ? tandem_samples_rgb : depth > 8 ? tandem_samples_wide : tandem_samples_narrow }

    /// Samples of chroma for some of luma.
    func chromaExtent(_ extent: Int, shift: Int) -> Int { (extent + (1 << shift) - 1) >> shift }

    /// The conversion to RGB by swscale's matrix for the frame's colour space, to its exact fractions.
    ///
    /// The numbers that a level takes are those of ITU-T H.273, 8.3: in limited range of n bits black is 16 · 2ⁿ⁻⁸ and white 235 · 2ⁿ⁻⁸,
    /// in full range 0 and 2ⁿ - 1.
    func color(of frame: borrowing Frame) -> tandem_color {
        let side = Conversion.Side(frame)
        let table = sws_getCoefficients(Scaler.coefficients(of: side.matrix))!
        // The table is for limited range: luma in 219 steps from 16, chroma in 224 around 128.
        let unit = side.isFullRange ? 255 / Float((1 << depth) - 1) : 1 / Float(1 << (depth - 8))
        let luma = side.isFullRange ? unit : unit * 255 / 219
        let chroma = isGrey ? 0 : side.isFullRange ? unit * 224 / 255 : unit
        func coefficient(_ i: Int) -> Float { Float(table[i]) / 65536 * chroma }
        let (vToRed, uToBlue, uToGreen, vToGreen) = (coefficient(0), coefficient(1), -coefficient(2), -coefficient(3))
        let black = side.isFullRange ? 0 : -16 / unit * luma
        let middle = Float(1 << (depth - 1))
        return tandem_color(
            luma: luma, v_to_red: vToRed, u_to_green: uToGreen, v_to_green: vToGreen, u_to_blue: uToBlue, red: black - middle * vToRed,
            green: black - middle * (uToGreen + vToGreen), blue: black - middle * uToBlue)
    }
}
