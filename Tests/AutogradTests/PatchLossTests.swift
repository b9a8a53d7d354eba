import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct PatchLossTests {
    @Test(arguments: PatchTarget.allCases.flatMap { target in [1, 2].map { (target, $0) } }, TestBackend.devices)
    func agreesWithFormula(kind: (target: PatchTarget, frames: Int), backend: TestBackend) throws {
        let (patch, height, width) = (PatchShape(2, frames: kind.frames), 4, 6)
        let targets = [-1, 11, 3, -1, 6, 0, 9]
        let check = try GradientCheck([.variable([targets.count, patch.count])], Path(backend, .f32))
        let pixels = TestNumbers.normal(2 * kind.frames * 3 * height * width, seed: 8)
        let images = check.tape.arena.tensor(pixels, [2 * kind.frames, 3, height, width])
        let clip = Reference.Clip(pixels.doubles, height: height, width: width, patch)
        func formula(_ prediction: [Double]) -> Double {
            Reference.patchLoss(prediction, clip, targets: targets, kind.target).loss
        }
        let prediction = check.variable(0)
        let sum = check.tape.backend.array(of: Double.self, count: 1)
        for _ in 0..<2 {
            check.tape.patchLoss(
                addingTo: sum, prediction, images, targets: check.indices(targets), patch, kind.target, scale: 0.125)
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
