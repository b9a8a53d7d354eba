import Recipes
import Testing

@Suite struct ReconstructionSheetTests {
    /// The true patches, normalised, must give the second frame back; hidden patches are grey in the second column.
    @Test func theTruthShowsAsTheSecondFrame() {
        let (size, patch) = (8, 4)
        let first = (0..<size * size * 3).map { UInt8($0 % 251) }
        let second = (0..<size * size * 3).map { UInt8(($0 * 7 + 13) % 256) }
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
                            values.append((Float(second[source]) / 255 - mean[channel]) / deviation[channel])
                        }
                    }
                }
                let average = values.reduce(0, +) / 48
                let variance = values.map { ($0 - average) * ($0 - average) }.reduce(0, +) / 47
                prediction += values.map { ($0 - average) / (variance + 1e-6).squareRoot() }
            }
        }
        var sheet = ReconstructionSheet(imageSize: size, patchSize: patch)
        sheet.append(first: first, second: second, mask: [1, 0, 1, 1], prediction: prediction, isNormalized: true)
        let image = sheet.image

        func pixel(column: Int, y: Int, x: Int) -> [UInt8] {
            let start = ((4 + y) * image.width + 4 + column * (size + 4) + x) * 3
            return Array(image.pixels[start..<start + 3])
        }
        for y in 0..<size {
            for x in 0..<size {
                let source = (y * size + x) * 3
                #expect(pixel(column: 0, y: y, x: x) == Array(first[source..<source + 3]))
                let isHidden = !(y < 4 && x >= 4)
                #expect(pixel(column: 1, y: y, x: x) == (isHidden ? [128, 128, 128] : Array(second[source..<source + 3])))
                for channel in 0..<3 { #expect(abs(Int(pixel(column: 2, y: y, x: x)[channel]) - Int(second[source + channel])) <= 1) }
                #expect(pixel(column: 3, y: y, x: x) == Array(second[source..<source + 3]))
            }
        }
    }
    @Test func hiddenPatchesOfTheFirstFrameAreGrey() {
        let (size, patch) = (8, 4)
        let frame = [UInt8](repeating: 7, count: size * size * 3)
        let prediction = [Float](repeating: 0, count: size * size * 3)
        var sheet = ReconstructionSheet(imageSize: size, patchSize: patch)
        sheet.append(
            first: frame, firstMask: [1, 0, 0, 0], second: frame, mask: [0, 0, 0, 1], prediction: prediction, isNormalized: false)
        let image = sheet.image
        for y in 0..<size {
            for x in 0..<size {
                let value = image.pixels[((4 + y) * image.width + 4 + x) * 3]
                #expect(value == (y < 4 && x < 4 ? 128 : 7))
            }
        }
    }
}
