import CFFmpeg

/// The two formats and sizes that a ``Scaler`` converts between. Equal conversions can share a scaler.
struct Conversion: Hashable {
    /// The pictures on one side of a conversion.
    struct Side: Hashable {
        var width: Int32
        var height: Int32
        var format: Int32
        /// `AVColorSpace`; ignored for RGB.
        var matrix: UInt32 = AVCOL_SPC_UNSPECIFIED.rawValue
        var isFullRange = false
        /// Whole pixels by which the first luma sample lies right of and below the first chroma pair: 1 for crops at odd offsets.
        var chromaOffsetX: Int32 = 0
        var chromaOffsetY: Int32 = 0
    }

    var source: Side
    var destination: Side
    /// Whether pictures are scaled bilinearly, not bicubically.
    var isBilinear = false
}

extension Conversion.Side {
    /// The picture in a frame. What the stream leaves untagged falls to swscale's rule: BT.601, limited range, but full range for grey.
    init(_ frame: borrowing Frame) {
        let picture = frame.pointer.pointee
        self.init(width: picture.width, height: picture.height, format: picture.format, matrix: picture.colorspace.rawValue)
        let isUntaggedGrey = picture.color_range == AVCOL_RANGE_UNSPECIFIED && descriptor.map { $0.nb_components < 3 } ?? false
        isFullRange =
            picture.color_range == AVCOL_RANGE_JPEG || isUntaggedGrey || Self.fullRangeFormats.contains(AVPixelFormat(rawValue: format))
    }

    /// The deprecated twins of the 4:x:x formats that say full range by their name.
    private static let fullRangeFormats = [
        AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUVJ411P,
    ]

    private var descriptor: AVPixFmtDescriptor? { av_pix_fmt_desc_get(AVPixelFormat(rawValue: format))?.pointee }

    var chromaShiftX: Int32 { descriptor.map { Int32($0.log2_chroma_w) } ?? 0 }
    var chromaShiftY: Int32 { descriptor.map { Int32($0.log2_chroma_h) } ?? 0 }

    var isRGB: Bool { descriptor.map { $0.flags & UInt64(AV_PIX_FMT_FLAG_RGB) != 0 } ?? false }

    /// Whether swscale reads such pictures. Of others neither crops nor videos are made.
    var isReadable: Bool { sws_isSupportedInput(AVPixelFormat(rawValue: format)) != 0 }

    /// The error of a file with pictures that are not read.
    func unreadable(in path: String) -> MediaError { MediaError(.unsupported, path, "swscale does not convert \(formatName)") }

    var formatName: String { descriptor.map { String(cString: $0.name) } ?? "an unknown pixel format" }
}

/// swscale, set for results that do not depend on the processor's instruction set.
///
/// Scaling is bicubic with a = -0.5, the kernel of Pillow and of PyTorch's antialiased resize, or bilinear, and widens when shrinking, so that
/// it does not alias.
struct Scaler: ~Copyable {
    private let context: OpaquePointer
    private let sourceHeight: Int32
    private let destinationHeight: Int32

    /// nil where swscale does not know the conversion.
    init?(_ conversion: Conversion) {
        silenceLibav()
        guard let context = sws_alloc_context() else { return nil }
        let (source, destination) = (conversion.source, conversion.destination)
        let object = UnsafeMutableRawPointer(context)
        var isKnown = true
        /// Records the return code of setting an option.
        func note(_ code: Int32, _ name: String) {
            precondition(code != tandem_averror_option_not_found(), "this libswscale has no option \(name)")
            isKnown = isKnown && code >= 0
        }
        func set(_ name: String, _ value: Int32) { note(av_opt_set_int(object, name, Int64(value), 0), name) }
        set("srcw", source.width)
        set("srch", source.height)
        set("src_format", source.format)
        set("src_range", source.isFullRange ? 1 : 0)
        set("dstw", destination.width)
        set("dsth", destination.height)
        set("dst_format", destination.format)
        set("dst_range", destination.isFullRange ? 1 : 0)
        set(
            "sws_flags",
            (conversion.isBilinear ? SWS_BILINEAR : SWS_BICUBIC) | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP
        )
        if !conversion.isBilinear {
            note(av_opt_set_double(object, "param0", 0, 0), "param0")
            note(av_opt_set_double(object, "param1", 0.5, 0), "param1")
        }
        // By swscale's own rule a chroma sample sits in the middle of its pixels, in 256ths of one; a crop that starts inside such a group
        // moves it by as many pixels.
        if source.chromaOffsetX > 0 { set("src_h_chr_pos", 128 << source.chromaShiftX - 128 - 256 * source.chromaOffsetX) }
        if source.chromaOffsetY > 0 { set("src_v_chr_pos", 128 << source.chromaShiftY - 128 - 256 * source.chromaOffsetY) }
        guard isKnown, sws_init_context(context, nil, nil) >= 0,
            sws_setColorspaceDetails(
                context, sws_getCoefficients(Self.coefficients(of: source.matrix)), source.isFullRange ? 1 : 0,
                sws_getCoefficients(Self.coefficients(of: destination.matrix)), destination.isFullRange ? 1 : 0, 0, 1 << 16, 1 << 16) >= 0
        else {
            sws_freeContext(context)
            return nil
        }
        self.context = context
        sourceHeight = source.height
        destinationHeight = destination.height
    }

    /// `AVColorSpace` numbers are swscale's numbers, but for those it lacks, RGB and unspecified, which fall to its default, BT.601.
    static func coefficients(of matrix: UInt32) -> Int32 {
        switch AVColorSpace(rawValue: matrix) {
        case AVCOL_SPC_BT709: SWS_CS_ITU709
        case AVCOL_SPC_FCC: SWS_CS_FCC
        case AVCOL_SPC_SMPTE240M: SWS_CS_SMPTE240M
        case AVCOL_SPC_BT2020_NCL, AVCOL_SPC_BT2020_CL: SWS_CS_BT2020
        default: SWS_CS_DEFAULT
        }
    }

    /// Converts one picture. Both sides must be as the conversion says.
    func scale(_ source: Planes, into destination: Planes) {
        withUnsafePointer(to: source) { source in
            withUnsafePointer(to: destination) { destination in
                let rows = sws_scale(
                    context, Planes.data(source), Planes.strides(source), 0, sourceHeight, Planes.mutableData(destination),
                    Planes.strides(destination))
                // Pictures that are not as the conversion says, or no memory for a row.
                precondition(rows == destinationHeight, rows < 0 ? "swscale: \(describe(rows))" : "swscale gave \(rows) rows")
            }
        }
    }

    deinit { sws_freeContext(context) }
}
