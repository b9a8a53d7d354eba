import Autograd
import Compute
import TestSupport
import Testing

@Suite struct PatchLossTests {
    @Test(arguments: [true, false]) func agreesWithFormula(normalizes: Bool) throws {
        let (patchSize, height, width) = (2, 4, 6)
        let targets = [-1, 11, 3, -1, 6, 0, 9]
        let check = try GradientCheck([.variable([targets.count, 12])])
        let pixels = TestNumbers.normal(2 * 3 * height * width, seed: 8)
        let images = check.tape.tensor(pixels, [2, 3, height, width])
        func formula(_ prediction: [Double]) -> Double {
            Reference.patchLoss(
                prediction, pixels.doubles, height: height, width: width, patchSize: patchSize, targets: targets, normalizes: normalizes
            ).loss
        }
        let prediction = check.variable(0)
        let loss = check.tape.patchLoss(
            prediction, images, targets: targets.map { Int32($0) }, patchSize: patchSize, normalizesPatches: normalizes, scale: 0.25)
        let numbers = prediction.value.numbers.doubles
        #expect(abs(loss / formula(numbers) - 1) < 1e-6)

        check.tape.backward()
        let expected = numbers.indices.map { element in
            var (above, below) = (numbers, numbers)
            above[element] += 1e-5
            below[element] -= 1e-5
            return 0.25 * (formula(above) - formula(below)) / 2e-5
        }
        #expect(TestNumbers.relativeError(prediction.takeGradient()!.numbers, expected) < 1e-5)
    }
}
