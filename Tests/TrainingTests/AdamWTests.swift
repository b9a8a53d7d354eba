import Autograd
import Compute
import TestBackends
import Testing
import Training

struct AdamWTests {
    /// Two steps by torch.optim.AdamW (2.13), lr 0.01, betas (.9, .95), eps 1e-8: a matrix with decay 0.05 and a vector without.
    @Test(arguments: TestBackend.devices) func stepsAreTorchs(backend: TestBackend) throws {
        let store = ParameterStore([("bias", [2]), ("weight", [1, 2])], backend: try backend.open(threads: 1))
        let sums = StepSums(of: store)
        let gradients: [[Float]] = [[0.3, -0.2, 1e-3, 0], [-0.1, 0.4, 2, 5]]
        store.backend.upload(store.values, from: [0.5, -1.5, 2, 0])
        for step in 1...2 {
            store.backend.upload(store.gradients, from: gradients[step - 1])
            AdamW().update(store, learningRate: 0.01, step: step)
        }
        let expected: [Float] = [0.4854620397090912, -1.4921389818191528, 1.982647180557251, -0.007349599618464708]
        #expect(zip(store.backend.download(store.values), expected).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(abs(sums.read().gradientNorm - 29.17.squareRoot()) < 1e-6)
    }

    /// In the last of many numbers of each kind.
    @Test(arguments: [Float.nan, .infinity, -.infinity], TestBackend.devices)
    func whatIsNotFiniteIsFound(number: Float, backend: TestBackend) throws {
        let store = ParameterStore([("weight", [300, 1000])], backend: try backend.open())
        store.backend.fill(store.values, 1e38)
        #expect(store.isFinite)
        for numbers in [store.values, store.firstMoments, store.secondMoments] {
            let last = numbers.elements(store.count - 1..<store.count)
            store.backend.fill(last, number)
            #expect(!store.isFinite)
            store.backend.fill(last, 0)
        }
        // Gradients are of one step only.
        store.backend.fill(store.gradients.elements(0..<1), number)
        #expect(store.isFinite)
    }
}
