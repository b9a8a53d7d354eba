import Models
import Pictures
import Recipes
import Testing

@Suite struct PatchDrawingTests {
    private static let (size, patch) = (8, 4)
    private let encoder = EncoderConfiguration(imageSize: size, patchSize: patch, width: 4, depth: 1, heads: 1)

    private func pixel(_ image: RGBImage, y: Int, x: Int) -> [UInt8] {
        let start = (y * image.width + x) * 3
        return Array(image.pixels[start..<start + 3])
    }

    /// The true patches, normalised, must give the picture back.
    @Test func theTruthShowsAsThePicture() {
        let (size, patch) = (Self.size, Self.patch)
        let picture = (0..<size * size * 3).map { UInt8(($0 * 7 + 13) % 256) }
        let mean: [Float] = [0.485, 0.456, 0.406]
        let deviation: [Float] = [0.229, 0.224, 0.225]
        var prediction: [Float] = []
        for patchRow in 0..<2 {
            for patchColumn in 0..<2 {
                var values: [Float] = []
                for y in 0..<patch {
                    for x in 0..<patch {
                        for channel in 0..<3 {
                            let source = ((patchRow * patch + y) * size + patchColumn * patch + x) * 3 + channel
                            values.append((Float(picture[source]) / 255 - mean[channel]) / deviation[channel])
                        }
                    }
                }
                let average = values.reduce(0, +) / 48
                let variance = values.map { ($0 - average) * ($0 - average) }.reduce(0, +) / 47
                prediction += values.map { ($0 - average) / (variance + 1e-6).squareRoot() }
            }
        }
        let drawing = PatchDrawing(encoder, isNormalized: true)
        let mask: [UInt8] = [1, 0, 1, 1]
        picture.withUnsafeBytes { bytes in
            let (masked, completed) = (drawing.masked(bytes, mask), drawing.completed(bytes, mask, prediction: prediction))
            #expect(drawing.picture(bytes).pixels == picture)
            for y in 0..<size {
                for x in 0..<size {
                    let shown = Array(picture[(y * size + x) * 3..<(y * size + x) * 3 + 3])
                    let isHidden = !(y < 4 && x >= 4)
                    #expect(pixel(masked, y: y, x: x) == (isHidden ? [128, 128, 128] : shown))
                    for channel in 0..<3 { #expect(abs(Int(pixel(completed, y: y, x: x)[channel]) - Int(shown[channel])) <= 1) }
                }
            }
        }
    }

    @Test func aPictureWithoutAMaskIsWhole() {
        let picture = [UInt8](repeating: 7, count: 8 * 8 * 3)
        picture.withUnsafeBytes { #expect(PatchDrawing(encoder, isNormalized: false).masked($0, nil).pixels == picture) }
    }
}
