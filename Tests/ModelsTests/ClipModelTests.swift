import Models
import TestSupport
import Testing

@Suite struct ClipModelTests {
    /// Known answers: rules.json of the golden recipes, "sinusoid_1d".
    @Test func positionsAreFlat() {
        let rows: [Double] = [
            0, 1, 0, 1, 0, 1,
            0.841470957, 0.540302277, 0.046399225, 0.998923004, 0.002154433, 0.999997675,
            0.909297407, -0.416146845, 0.0926985, 0.99569422, 0.004308856, 0.999990702,
            0.141120002, -0.989992499, 0.138798103, 0.990320683, 0.006463259, 0.999979138,
            -0.756802499, -0.653643608, 0.184598729, 0.982813954, 0.008617632, 0.999962866,
        ]
        #expect(TestNumbers.relativeError(SinusoidTables.values(count: 5, width: 6), rows) < 1e-7)
    }

    /// As PyTorch's linear interpolation without aligned corners, worked out by hand: a single step lies in the middle of all.
    @Test(arguments: [(1, [4]), (2, [1, 10]), (3, [0, 4, 12]), (6, [0, 1, 3, 6, 10, 12])] as [(Int, [Float])])
    func stepsAreResampledLinearly(steps: Int, expected: [Float]) {
        let three: [Float] = [0, 4, 12]
        let found = ClipGrid(steps: 3, rows: 1, columns: 1).resampled(three, to: ClipGrid(steps: steps, rows: 1, columns: 1), width: 1)
        #expect(found == expected)
    }

    /// In space as the position embeddings of pictures, which are compared with PyTorch's: a step of a clip is a picture without CLS.
    @Test func placesAreResampledAsThoseOfPictures() {
        let table = TestNumbers.normal(2 * 9 * 4, seed: 3)
        let found = ClipGrid(steps: 2, rows: 3, columns: 3).resampled(table, to: ClipGrid(steps: 2, rows: 4, columns: 5), width: 4)
        for step in 0..<2 {
            let picture = PositionEmbedding(gridSize: 3, width: 4, values: [0, 0, 0, 0] + table[step * 36..<(step + 1) * 36])
            #expect(Array(found[step * 80..<(step + 1) * 80]) == Array(picture.interpolated(gridHeight: 4, gridWidth: 5).values[4...]))
        }
    }

    /// The last row of tables of full size: angles in single precision would be wrong by 1e-4.
    @Test(arguments: [
        (384, [0.60894841, -0.793209851, -0.975318849, -0.220801085, -0.484305322, -0.874899089, -0.200562105, 0.979681015]),
        (192, [0.60894841, -0.793209851, -0.484305322, -0.874899089, -0.800311744, 0.599584103, 0.128219634, 0.99174577]),
    ]) func positionsFarAwayAreExact(width: Int, expected: [Double]) {
        let row = Array(SinusoidTables.values(count: 1568, width: width)[(1567 * width)..<(1567 * width + 8)])
        #expect(TestNumbers.relativeError(row, expected) < 1e-7)
    }
}
