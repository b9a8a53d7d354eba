import Autograd
import Compute
import TestBackends
import Testing
import Training

struct StepSumsTests {
    /// Micro-batches add to a step's loss; the next step begins with none.
    @Test(arguments: TestBackend.devices) func stepsHaveSumsOfTheirOwn(backend: TestBackend) throws {
        let store = ParameterStore([("weight", [2, 3])], backend: try backend.open(threads: 1))
        let sums = StepSums(of: store)
        store.backend.upload(store.gradients, from: [0, 3, 0, 0, -4, 0])
        store.backend.upload(sums.loss, from: [1.25])
        for _ in 0..<2 {
            #expect(sums.read().loss == 1.25 && sums.read().gradientNorm == 5)
            #expect(sums.read().problem == nil)
        }
        sums.clear()
        #expect(sums.read().loss == 0 && sums.read().gradientNorm == 0)
        #expect(store.backend.download(store.gradients) == [Float](repeating: 0, count: 6))
    }

    /// A finite loss may have an infinite gradient.
    @Test(arguments: [Float.nan, .infinity, -.infinity], TestBackend.devices)
    func whatIsNotFiniteIsToldInWords(number: Float, backend: TestBackend) throws {
        let store = ParameterStore([("weight", [300, 1000])], backend: try backend.open())
        let sums = StepSums(of: store)
        store.backend.fill(store.gradients.elements(store.count - 1..<store.count), number)
        #expect(sums.read().problem == "the gradient norm is \(number.isNaN ? "nan" : "inf")")
        store.backend.upload(sums.loss, from: [Double(number)])
        #expect(sums.read().problem == "the loss is \(number)")
        sums.clear()
        #expect(sums.read().problem == nil)
    }

    /// The square of the largest number is none of f32.
    @Test(arguments: TestBackend.devices) func largeGradientsAreFinite(backend: TestBackend) throws {
        let store = ParameterStore([("weight", [2, 3])], backend: try backend.open())
        store.backend.fill(store.gradients, .greatestFiniteMagnitude)
        #expect(StepSums(of: store).read().problem == nil)
    }
}
