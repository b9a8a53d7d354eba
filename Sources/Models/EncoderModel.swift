import Autograd
import Compute

/// What is trained to be used later, without the rest of its recipe: an encoder of pictures, or of clips.
public protocol EncoderModel: AnyObject {
    /// Sizes.
    var configuration: EncoderConfiguration { get }
    /// Numbers that it learns.
    var parameterCount: Int { get }
    /// What pictures are normalised by.
    var pixelStatistics: PixelStatistics { get }
    /// Whether CLS stands before the patches.
    var hasCLS: Bool { get }

    /// Features of all patches of some clips, of any size that the patches divide: `[clips, patches, width]`, without CLS; patches are
    /// numbered over time, then row by row. An encoder of pictures sees each frame by itself.
    ///
    /// - Parameter frames: `[clips · frames, 3, height, width]`, normalised, the frames of a clip one after the other.
    func features(_ frames: Tensor, clips: Int, arena: Arena) -> Tensor

    /// What some tokens of a still look at in the last block, head by head: for pictures.
    ///
    /// - Parameters:
    ///   - frames: one patch deep, as ``stills(_:arena:)`` makes them of a picture: `[frames of a patch, 3, height, width]`.
    ///   - patches: those that look; nil is CLS, where there is one.
    /// - Returns: `[patches.count, heads, cells]`, cells row by row. The share that goes to CLS is left out, so a head's numbers may add up to
    ///   less than 1.
    ///
    /// Source: facebookresearch/dino: visualize_attention.py.
    func lastAttention(_ frames: Tensor, patches: [Int?], arena: Arena) -> [Float]

    /// What each block makes of a still's patches, from the first to the last.
    ///
    /// - Parameter frames: as for ``lastAttention(_:patches:arena:)``.
    func layers(_ frames: Tensor, arena: Arena) -> [EncoderLayer]
}

/// What one block of an encoder makes of patches, without CLS: `[cells, width]` each, in host memory.
public struct EncoderLayer {
    /// Tokens after the block; after the last one the encoder's features, normalised where it has a last norm.
    public let tokens: [Float]
    /// Keys of the block's attention, head after head.
    public let keys: [Float]
}

extension EncoderModel {
    /// Features of pictures, `[count, cells, width]`. An encoder of clips sees each as a still that fills the frames of one patch.
    ///
    /// - Parameter pictures: `[count, 3, height, width]`, normalised.
    public func features(ofPictures pictures: Tensor, arena: Arena) -> Tensor {
        features(stills(pictures, arena: arena), clips: pictures.shape[0], arena: arena)
    }

    /// Features of the frame in the middle of a clip, at place `frames / 2`, as its neighbours let the encoder see it: `[1, cells, width]`.
    ///
    /// - Parameter clip: `[frames, 3, height, width]`, normalised; whole patches of frames, or one frame, which is a still.
    public func features(ofMiddleOf clip: Tensor, arena: Arena) -> Tensor {
        if clip.shape[0] == 1 { return features(ofPictures: clip, arena: arena) }
        let all = features(clip, clips: 1, arena: arena)
        let (frames, perPatch) = (clip.shape[0], configuration.patch.frames)
        let cells = all.shape[1] * perPatch / frames
        let first = frames / 2 / perPatch * cells * configuration.width
        return all.elements(first..<first + cells * configuration.width).reshaped([1, cells, configuration.width])
    }

    /// Pictures as clips that are one patch deep: `[count · frames of a patch, 3, height, width]`.
    public func stills(_ pictures: Tensor, arena: Arena) -> Tensor {
        let repeats = configuration.patch.frames
        return repeats == 1 ? pictures : arena.pictures((0..<pictures.shape[0] * repeats).map { $0 / repeats }, of: pictures)
    }
}

extension Arena {
    /// Some rows of a tensor, in an order of their own and in f32.
    package func rows(_ rows: [Int32], of x: Tensor) -> Tensor {
        let chosen = tensor([rows.count, x.columns])
        backend.selectRows(chosen, x, sources: indices(rows))
        return chosen
    }

    /// Some of the pictures of a tensor `[count, 3, height, width]`, in an order of their own.
    package func pictures(_ places: [Int], of all: Tensor) -> Tensor {
        let length = all.count / all.shape[0]
        let chosen = tensor([places.count] + all.shape[1...])
        for (index, place) in places.enumerated() {
            backend.copy(
                chosen.elements(index * length..<(index + 1) * length).bytes, all.elements(place * length..<(place + 1) * length).bytes)
        }
        return chosen
    }
}

extension Tape {
    /// The tokens of patches alone, `[sequences, patches, width]`, of sequences that are equally long.
    package func patchTokens(of x: Variable, _ sequences: SequenceLayout, hasCLS: Bool) -> Tensor {
        let rows = hasCLS ? sequences.rowsWithoutFirst : (0..<Int32(x.value.rows)).map { $0 }
        return arena.rows(rows, of: x.value).reshaped([sequences.count, rows.count / sequences.count, x.value.columns])
    }
}

extension SequenceLayout {
    /// The rows of all sequences but the first of each: those of the patches, without CLS.
    package var rowsWithoutFirst: [Int32] { (0..<count).flatMap { sequence in self[sequence].dropFirst().map { Int32($0) } } }
}
