import Autograd
import Compute
import TestBackends
import Testing

@Suite struct ParameterStoreTests {
    @Test(arguments: TestBackend.devices) func decayedParametersComeFirstWithoutGaps(backend: TestBackend) throws {
        let store = ParameterStore(
            [("a.bias", [3]), ("a.weight", [3, 2]), ("token", [1, 1, 5]), ("b.bias", [1])], backend: try backend.open(threads: 1))
        #expect(store.entries.map(\.name) == ["a.weight", "token", "a.bias", "b.bias"])
        #expect(store.entries.map(\.range) == [0..<6, 6..<11, 11..<14, 14..<15])
        #expect(store.decayedCount == 11)
        #expect(store.count == 15)
        #expect(store.entry("token")?.isDecayed == true)
        #expect(store.entry("c") == nil)
    }

    private func initial(_ parameters: [Parameter], seed: UInt64, _ backend: TestBackend) throws -> ParameterStore {
        let store = ParameterStore(parameters, backend: try backend.open(threads: 1))
        store.initialize(seed: seed)
        return store
    }

    @Test(arguments: TestBackend.devices) func firstValuesHaveTheirDistributions(backend: TestBackend) throws {
        let store = try initial(
            [
                Parameter("uniform", [200, 300], .xavierUniform(out: 200, in: 300)),
                Parameter("normal", [50_000], .normal(standardDeviation: 0.02)),
                Parameter("truncated", [50_000], .truncatedNormal(standardDeviation: 0.02, cut: 0.02)),
                Parameter("default", [30, 1000], .frameworkDefault(in: 1536)),
                Parameter("zeros", [7], .zeros), Parameter("ones", [7], .ones),
            ], seed: 3, backend)
        let uniform = store.backend.numbers(store.parameter("uniform").value).map { Double($0) }
        let bound = (6.0 / 500).squareRoot()
        #expect(uniform.allSatisfy { abs($0) <= bound })
        #expect(uniform.max()! > 0.999 * bound && uniform.min()! < -0.999 * bound)
        #expect(abs(uniform.reduce(0, +) / 60_000) < 5 * bound / 3.0.squareRoot() / 60_000.0.squareRoot())
        let normal = store.backend.numbers(store.parameter("normal").value).map { Double($0) }
        let deviation = (normal.reduce(0) { $0 + $1 * $1 } / 50_000).squareRoot()
        #expect(abs(deviation / 0.02 - 1) < 0.02)
        #expect(abs(Double(normal.count { abs($0) < 0.02 }) / 50_000 - 0.6827) < 0.01)
        // A normal distribution cut at one deviation has .5396 of that as its own (README of the golden recipes: .0108 of .02).
        let truncated = store.backend.numbers(store.parameter("truncated").value).map { Double($0) }
        #expect(truncated.allSatisfy { abs($0) <= 0.02 } && truncated.max()! > 0.0199 && truncated.min()! < -0.0199)
        let truncatedDeviation = (truncated.reduce(0) { $0 + $1 * $1 } / 50_000).squareRoot()
        #expect(abs(truncatedDeviation / 0.01079 - 1) < 0.02)
        let ofPyTorch = store.backend.numbers(store.parameter("default").value).map { Double($0) }
        #expect(abs(ofPyTorch.max()! / 0.025515518 - 1) < 1e-3 && abs(ofPyTorch.min()! / -0.025515518 - 1) < 1e-3)
        #expect(store.backend.numbers(store.parameter("zeros").value) == [Float](repeating: 0, count: 7))
        #expect(store.backend.numbers(store.parameter("ones").value) == [Float](repeating: 1, count: 7))
    }

    @Test(arguments: TestBackend.devices) func firstValuesDependOnSeedAndNameOnly(backend: TestBackend) throws {
        func parameter(_ name: String) -> Parameter { Parameter(name, [16], .normal(standardDeviation: 1)) }
        let first = try initial([parameter("a"), parameter("b")], seed: 1, backend)
        let other = try initial([parameter("b"), parameter("c"), parameter("a")], seed: 1, backend)
        let reseeded = try initial([parameter("a")], seed: 2, backend)
        #expect(first.backend.numbers(first.parameter("a").value) == other.backend.numbers(other.parameter("a").value))
        #expect(first.backend.numbers(first.parameter("a").value) != first.backend.numbers(first.parameter("b").value))
        #expect(first.backend.numbers(first.parameter("a").value) != reseeded.backend.numbers(reseeded.parameter("a").value))
    }

    /// A bf16 store's matrices are rounded for products; what has one dimension is read as it is.
    @Test(arguments: TestBackend.devices) func operandsAreRoundedMatrices(backend: TestBackend) throws {
        let store = ParameterStore([("bias", [2]), ("weight", [1, 2])], precision: .bf16, backend: try backend.open(threads: 1))
        store.backend.upload(store.values, from: [1 + 0x1p-9, 3, 5 + 0x1p-9, 7])
        store.refreshOperands()
        #expect(store.backend.numbers(store.parameter("weight").operand) == [1, 3])
        #expect(store.backend.numbers(store.parameter("weight").value) == [1 + 0x1p-9, 3])
        #expect(store.backend.numbers(store.parameter("bias").operand) == [5 + 0x1p-9, 7])
    }
}
