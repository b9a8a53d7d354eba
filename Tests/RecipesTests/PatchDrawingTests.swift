import Compute
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
        let drawing = PatchDrawing(encoder.patch, imageSize: encoder.imageSize, .normalized)
        let mask: [UInt8] = [1, 0, 1, 1]
        picture.withUnsafeBytes { bytes in
            let (masked, completed) = (drawing.masked(bytes, mask), drawing.completed(bytes, mask, [0, 1, 2, 3], prediction: prediction))
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

    /// The true patches of a clip give its frames back, however they are normalised; what was not predicted stays hidden, and what the
    /// encoder saw stays what it is, whatever was predicted.
    @Test(arguments: [PatchTarget.unit, .normalizedChannels]) func theTruthShowsAsTheClip(target: PatchTarget) {
        let (size, frames) = (8, 4)
        let clip = (0..<frames * size * size * 3).map { index -> UInt8 in
            let level = index * 7 + index / 192 * 31 + 13
            return UInt8(level % 256)
        }
        func place(_ frame: Int, _ y: Int, _ x: Int, _ channel: Int) -> Int { ((frame * size + y) * size + x) * 3 + channel }
        // Two steps of 2 x 2 patches of two frames.
        let mask: [UInt8] = [1, 0, 1, 1, 1, 0, 1, 1], predicted: [Int32] = [0, 1, 3, 4, 6]
        var prediction: [Float] = []
        for patch in predicted {
            let (step, top, left) = (Int(patch) / 4, Int(patch) % 4 / 2 * 4, Int(patch) % 2 * 4)
            var places: [Int] = []
            for frame in 0..<2 {
                for y in 0..<4 {
                    for x in 0..<4 { for channel in 0..<3 { places.append(place(step * 2 + frame, top + y, left + x, channel)) } }
                }
            }
            let levels = places.map { Double(clip[$0]) / 255 }
            let statistics = (0..<3).map { channel -> (Double, Double) in
                let own = stride(from: channel, to: 96, by: 3).map { levels[$0] }
                let mean = own.reduce(0, +) / 32
                return (mean, (own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 31).squareRoot())
            }
            prediction += levels.enumerated().map { element, level in
                let (mean, deviation) = statistics[element % 3]
                return Float(patch == 1 ? 9 : target == .unit ? level : (level - mean) / (deviation + 1e-6))
            }
        }
        let drawing = PatchDrawing(PatchShape(4, frames: 2), imageSize: size, target)
        clip.withUnsafeBytes { bytes in
            let masked = drawing.frames(drawing.masked(bytes, mask))
            let completed = drawing.frames(drawing.completed(bytes, mask, predicted, prediction: prediction))
            #expect(drawing.frames(drawing.picture(bytes)).flatMap(\.pixels) == clip && masked.count == 4 && completed.count == 4)
            for frame in 0..<frames {
                for y in 0..<size {
                    for x in 0..<size {
                        let patch = frame / 2 * 4 + y / 4 * 2 + x / 4
                        let shown = (0..<3).map { clip[place(frame, y, x, $0)] }
                        #expect(pixel(masked[frame], y: y, x: x) == (mask[patch] == 1 ? [128, 128, 128] : shown))
                        let expected = mask[patch] == 1 && !predicted.contains(Int32(patch)) ? [128, 128, 128] : shown
                        for (found, expected) in zip(pixel(completed[frame], y: y, x: x), expected) {
                            #expect(abs(Int(found) - Int(expected)) <= 1)
                        }
                    }
                }
            }
        }
    }

    @Test func aPictureWithoutAMaskIsWhole() {
        let picture = [UInt8](repeating: 7, count: 8 * 8 * 3)
        picture.withUnsafeBytes {
            #expect(PatchDrawing(encoder.patch, imageSize: encoder.imageSize, .standard).masked($0, nil).pixels == picture)
        }
    }
}
