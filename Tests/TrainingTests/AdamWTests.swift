import Autograd
import ComputeCPU
import Testing
import Training

struct AdamWTests {
    /// Two steps by torch.optim.AdamW (2.13), lr 0.01, betas (.9, .95), eps 1e-8: a matrix with decay 0.05 and a vector without.
    @Test func stepsAreTorchs() throws {
        let backend = try CPUBackend(threads: 1)
        let store = ParameterStore([("bias", [2]), ("weight", [1, 2])], backend: backend)
        let values: [Float] = [0.5, -1.5, 2, 0]
        let gradients: [[Float]] = [[0.3, -0.2, 1e-3, 0], [-0.1, 0.4, 2, 5]]
        for index in 0..<4 { store.values[index] = values[index] }
        for step in 1...2 {
            for index in 0..<4 { store.gradients[index] = gradients[step - 1][index] }
            AdamW().update(store, learningRate: 0.01, step: step)
        }
        let expected: [Float] = [0.4854620397090912, -1.4921389818191528, 1.982647180557251, -0.007349599618464708]
        #expect((0..<4).allSatisfy { abs(store.values[$0] - expected[$0]) < 1e-6 })
        #expect(abs(store.gradientNorm - 29.17.squareRoot()) < 1e-6)
    }

    /// In the last of many numbers of each kind.
    @Test(arguments: [Float.nan, .infinity, -.infinity]) func whatIsNotFiniteIsFound(number: Float) throws {
        let store = ParameterStore([("weight", [300, 1000])], backend: try CPUBackend(threads: 2))
        for index in 0..<store.count { store.values[index] = 1e38 }
        #expect(store.isFinite)
        for numbers in [store.values, store.firstMoments, store.secondMoments] {
            numbers[store.count - 1] = number
            #expect(!store.isFinite)
            numbers[store.count - 1] = 0
        }
        // Gradients are of one step only.
        store.gradients[0] = number
        #expect(store.isFinite)
    }
}
