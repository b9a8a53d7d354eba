import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct PatchLossTests {
    @Test(arguments: [true, false], TestBackend.devices) func agreesWithFormula(normalizes: Bool, backend: TestBackend) throws {
        let (patchSize, height, width) = (2, 4, 6)
        let targets = [-1, 11, 3, -1, 6, 0, 9]
        let check = try GradientCheck([.variable([targets.count, 12])], Path(backend, .f32))
        let pixels = TestNumbers.normal(2 * 3 * height * width, seed: 8)
        let images = check.tape.arena.tensor(pixels, [2, 3, height, width])
        func formula(_ prediction: [Double]) -> Double {
            Reference.patchLoss(
                prediction, pixels.doubles, height: height, width: width, patchSize: patchSize, targets: targets, normalizes: normalizes
            ).loss
        }
        let prediction = check.variable(0)
        let sum = check.tape.backend.array(of: Double.self, count: 1)
        for _ in 0..<2 {
            check.tape.patchLoss(
                addingTo: sum, prediction, images, targets: check.indices(targets), patchSize: patchSize, normalizesPatches: normalizes,
                scale: 0.125)
        }
        let numbers = check.numbers(prediction.value).doubles
        #expect(abs(check.tape.backend.download(sum)[0] / (0.25 * formula(numbers)) - 1) < 1e-6)

        check.tape.backward()
        let expected = numbers.indices.map { element in
            var (above, below) = (numbers, numbers)
            above[element] += 1e-5
            below[element] -= 1e-5
            return 0.25 * (formula(above) - formula(below)) / 2e-5
        }
        #expect(TestNumbers.relativeError(check.numbers(prediction.takeGradient()!), expected) < 1e-5)
    }
}
