/// The size of a network as a pipeline's `model` gives it: numbers, some of which have names.
public protocol ModelSize: Codable, Equatable, Sendable {
    /// The sizes that have names.
    static var presets: [String: Self] { get }
    /// The keys of the numbers.
    static var keys: [String] { get }
    /// What the width is a multiple of, for the position embedding's sake.
    static var widthUnit: Int { get }
    /// Numbers per token.
    var width: Int { get }
    /// Number of blocks.
    var depth: Int { get }
    /// Attention heads per block; divides the width.
    var heads: Int { get }
}

extension ModelSize {
    /// What is impossible about the numbers, as a sentence goes on after what has them; nil where nothing is.
    public var problem: String? {
        let unit = Self.widthUnit
        if width < unit || width % unit != 0 { return "has width \(width), but the position table needs a multiple of \(unit)" }
        if width > 1 << 16 { return "has width \(width), above the limit of \(1 << 16)" }
        if !(1...1000).contains(depth) { return "has depth \(depth): from 1 to 1000 blocks" }
        if heads < 1 || width % heads != 0 { return "has \(heads) heads, which do not divide its width of \(width)" }
        return nil
    }
}

/// The size of an encoder, which comes with that of its patches.
public protocol PatchEncoderSize: ModelSize {
    /// Height and width of a patch in pixels.
    var patch: Int { get }
}

/// The size of an encoder, for images of any size.
public struct EncoderSize: PatchEncoderSize {
    public var patch: Int
    public var width, depth, heads: Int

    public init(patch: Int, width: Int, depth: Int, heads: Int) {
        (self.patch, self.width, self.depth, self.heads) = (patch, width, depth, heads)
    }

    /// ViT-Ti/16, S/16, S/8, B/16, L/16 and H/14 (Dosovitskiy et al. 2021, table 1; Touvron et al. 2021, table 1).
    public static let presets = [
        "ti16": EncoderSize(patch: 16, width: 192, depth: 12, heads: 3), "s16": EncoderSize(patch: 16, width: 384, depth: 12, heads: 6),
        "s8": EncoderSize(patch: 8, width: 384, depth: 12, heads: 6), "b16": EncoderSize(patch: 16, width: 768, depth: 12, heads: 12),
        "l16": EncoderSize(patch: 16, width: 1024, depth: 24, heads: 16), "h14": EncoderSize(patch: 14, width: 1280, depth: 32, heads: 16),
    ]
    public static let keys = ["patch", "width", "depth", "heads"]
    public static let widthUnit = 4
}

/// The size of a decoder.
public struct DecoderSize: ModelSize {
    public var width, depth, heads: Int

    public init(width: Int, depth: Int, heads: Int) {
        (self.width, self.depth, self.heads) = (width, depth, heads)
    }

    /// MAE's decoder, the default of SiamMAE's retrainings too.
    public static let mae = DecoderSize(width: 512, depth: 8, heads: 16)
    /// CropMAE's decoder: half the work of a SiamMAE step with ViT-S/16.
    public static let small = DecoderSize(width: 256, depth: 4, heads: 8)

    public static let presets = ["mae": mae, "small": small]
    public static let keys = ["width", "depth", "heads"]
    public static let widthUnit = 4
}

/// A size by its name or in numbers, as JSON a text or an object.
public enum Named<Size: ModelSize>: Codable, Equatable, Sendable {
    case preset(String)
    case free(Size)

    /// The numbers, nil for a name that no size has.
    public var size: Size? {
        switch self {
        case .preset(let name): Size.presets[name]
        case .free(let size): size
        }
    }

    /// The same in numbers, where they are known: two of the same numbers are one size, whatever its name.
    public var inNumbers: Named { size.map { .free($0) } ?? self }

    /// What is impossible about it, as a sentence goes on after its key; nil where nothing is.
    public var problem: String? {
        guard let size else {
            return "is not known: one of \(Size.presets.keys.sorted().joined(separator: ", ")), or { \(Size.keys.joined(separator: ", ")) }"
        }
        return size.problem
    }

    public init(from decoder: any Decoder) throws {
        let name = try? decoder.singleValueContainer().decode(String.self)
        self = if let name { .preset(name) } else { .free(try Size(from: decoder)) }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .preset(let name): try name.encode(to: encoder)
        case .free(let size): try size.encode(to: encoder)
        }
    }
}
