import Compute
import Models
import Pictures
import Propagation

/// An encoder that looks at pictures of any size, as label propagation has it look at frames.
package struct PictureEncoder {
    package let encoder: any EncoderModel
    let arena: Arena
    private let backend: any SimilarityBackend
    private let inputSize: InputSize

    package init(_ encoder: any EncoderModel, size: InputSize, backend: any SimilarityBackend) {
        self.encoder = encoder
        self.backend = backend
        arena = Arena(backend: backend)
        inputSize = size
    }

    /// A picture as the encoder takes it: `[1, 3, height, width]`, and its patches.
    func input(_ picture: RGBImage) throws -> (image: Tensor, grid: PatchGrid) {
        let patch = encoder.configuration.patchSize
        let size = try inputSize.resolved(frameHeight: picture.height, frameWidth: picture.width, patchSize: patch)
        let image = arena.tensor([1, 3, size.height, size.width])
        backend.upload(image, from: picture.normalized(height: size.height, width: size.width, encoder.pixelStatistics))
        return (image, PatchGrid(rows: size.height / patch, columns: size.width / patch))
    }

    /// The features of a picture's patches, each of length 1: `[cells, width]`.
    func features(_ picture: RGBImage) throws -> (values: [Float], grid: PatchGrid) {
        let (image, grid) = try input(picture)
        let features = encoder.features(ofPictures: image, arena: arena)
        let unit = arena.tensor([features.rows, features.columns])
        backend.unitRows(unit, features, gains: nil)
        return (backend.download(unit), grid)
    }
}
