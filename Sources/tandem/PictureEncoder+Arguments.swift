import Base
import Compute
import Console
import Devices
import Drawing
import Models
import Pictures
import Propagation
import Training
import WeightFiles

extension PictureEncoder {
    /// The encoder of a file of weights, or of a run's last checkpoint.
    init(weights: String, heads: Int?, size: InputSize, threads: Int) throws {
        let path = try CheckpointFolder.weights(at: weights, warn: warn)
        let backend = try Device.cpu.makeBackend(threads: threads)
        self.init(try EncoderWeights(path: path, heads: heads).makeEncoder(backend: backend), size: size, backend: backend)
    }
}

extension PatchGrid {
    /// The patch that a pixel on the command line belongs to.
    func cell(at place: PixelPlace, of picture: RGBImage) throws -> Int {
        guard place.x < picture.width, place.y < picture.height else {
            throw Failure("--patch \(place) lies outside the picture of \(picture.width)x\(picture.height) pixels")
        }
        return cell(x: place.x, y: place.y, of: picture)
    }
}

extension Arguments {
    /// Declares `--size`, the size that pictures are brought to before the encoder sees them.
    mutating func inputSize() -> InputSize {
        let fallback = InputSize.shortSide(480)
        let text = value("--size", "HxW|S|longS", InputSize.help, default: fallback.description)
        if let size = InputSize(text) { return size }
        refuse("--size wants \(InputSize.wanted), not '\(text)'")
        return fallback
    }
}
