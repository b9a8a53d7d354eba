import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct OneDNNTests {
    /// oneDNN and our own kernels add the same exact products of bf16 numbers in f32: they differ in the order of the sums only.
    @Test(arguments: TestTensors.shapes, Precision.allCases) func bothAgree(shape: [Int], precision: Precision) throws {
        func gradients(_ test: TestTensors) -> (dInput: Tensor, dWeight: Tensor) {
            let dy = test.normal([shape[0], 64], seed: 1, precision), x = test.normal(shape, seed: 2, precision)
            let dx = test.undefined(shape), dWeight = test.constant(0, [64, shape[1]])
            test.backend.linearBackwardInput(dx, dy, weight: test.normal([64, shape[1]], seed: 3, precision), accumulates: false)
            test.backend.linearBackwardWeight(dWeight, dBias: test.constant(0, [64]), dy, x)
            return (dx, dWeight)
        }
        let (own, other) = (try TestTensors(.cpu), try TestTensors(.cpuWithoutOneDNN))
        let (first, second) = (gradients(own), gradients(other))
        #expect(own.error(first.dInput, other.doubles(second.dInput)) < 1e-6)
        #expect(own.error(first.dWeight, other.doubles(second.dWeight)) < 1e-6)
    }

    @Test func theLogSaysWhetherItComputes() throws {
        let without = try TestBackend.cpuWithoutOneDNN.open().summary
        #expect(without.contains("oneDNN is left out: bf16 is computed as f32"), "\(without)")
        // Where oneDNN cannot serve, the sentence says why.
        #expect(try TestBackend.cpu.open().summary.contains("oneDNN") || TestBackend.cpu.open().summary.contains("AVX-512"))
    }
}
