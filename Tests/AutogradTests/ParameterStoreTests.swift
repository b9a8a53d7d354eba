import Autograd
import Compute
import ComputeCPU
import Testing

@Suite struct ParameterStoreTests {
    @Test func decayedParametersComeFirstWithoutGaps() throws {
        let store = ParameterStore(
            [("a.bias", [3]), ("a.weight", [3, 2]), ("token", [1, 1, 5]), ("b.bias", [1])], backend: try CPUBackend(threads: 1))
        #expect(store.entries.map(\.name) == ["a.weight", "token", "a.bias", "b.bias"])
        #expect(store.entries.map(\.range) == [0..<6, 6..<11, 11..<14, 14..<15])
        #expect(store.decayedCount == 11)
        #expect(store.count == 15)
        #expect(store.entry("token")?.isDecayed == true)
        #expect(store.entry("c") == nil)
    }

    private func initial(_ parameters: [Parameter], seed: UInt64) throws -> ParameterStore {
        let store = ParameterStore(parameters, backend: try CPUBackend(threads: 1))
        store.initialize(seed: seed)
        return store
    }

    @Test func firstValuesHaveTheirDistributions() throws {
        let store = try initial(
            [
                Parameter("uniform", [200, 300], .xavierUniform(out: 200, in: 300)),
                Parameter("normal", [50_000], .normal(standardDeviation: 0.02)),
                Parameter("zeros", [7], .zeros), Parameter("ones", [7], .ones),
            ], seed: 3)
        let uniform = store.parameter("uniform").value.numbers.map { Double($0) }
        let bound = (6.0 / 500).squareRoot()
        #expect(uniform.allSatisfy { abs($0) <= bound })
        #expect(uniform.max()! > 0.999 * bound && uniform.min()! < -0.999 * bound)
        #expect(abs(uniform.reduce(0, +) / 60_000) < 5 * bound / 3.0.squareRoot() / 60_000.0.squareRoot())
        let normal = store.parameter("normal").value.numbers.map { Double($0) }
        let deviation = (normal.reduce(0) { $0 + $1 * $1 } / 50_000).squareRoot()
        #expect(abs(deviation / 0.02 - 1) < 0.02)
        #expect(abs(Double(normal.count { abs($0) < 0.02 }) / 50_000 - 0.6827) < 0.01)
        #expect(store.parameter("zeros").value.numbers == [Float](repeating: 0, count: 7))
        #expect(store.parameter("ones").value.numbers == [Float](repeating: 1, count: 7))
    }

    @Test func firstValuesDependOnSeedAndNameOnly() throws {
        func parameter(_ name: String) -> Parameter { Parameter(name, [16], .normal(standardDeviation: 1)) }
        let first = try initial([parameter("a"), parameter("b")], seed: 1)
        let other = try initial([parameter("b"), parameter("c"), parameter("a")], seed: 1)
        let reseeded = try initial([parameter("a")], seed: 2)
        #expect(first.parameter("a").value.numbers == other.parameter("a").value.numbers)
        #expect(first.parameter("a").value.numbers != first.parameter("b").value.numbers)
        #expect(first.parameter("a").value.numbers != reseeded.parameter("a").value.numbers)
    }
}
