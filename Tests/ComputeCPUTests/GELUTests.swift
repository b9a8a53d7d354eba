import Compute
import Foundation
import TestSupport
import Testing

@Suite struct GELUTests {
    /// GELU through a linear layer of weight one and bias zero.
    private func gelu(_ x: [Float]) throws -> [Float] {
        let test = try TestTensors()
        let y = test.undefined([x.count, 1])
        test.backend.linearGELU(
            y, preactivation: test.undefined([x.count, 1]), test.tensor(x, [x.count, 1]), weight: test.tensor([1], [1, 1]),
            bias: test.tensor([0], [1]))
        return y.numbers
    }

    private static let line: [Float] = stride(from: -12, through: 12, by: 0.0007).map { Float($0) }

    @Test func valueEverywhere() throws {
        for (x, y) in zip(Self.line, try gelu(Self.line)) {
            // Half an error function in double precision; erfc keeps its digits where the result is tiny.
            let expected = Double(x) * 0.5 * erfc(-Double(x) / 2.0.squareRoot())
            #expect(abs(Double(y) - expected) < 4e-7 * max(abs(Double(x)), 1e-3), "gelu(\(x))")
        }
    }

    @Test func derivativeEverywhere() throws {
        let test = try TestTensors()
        let gradient = test.tensor(Array(repeating: 1, count: Self.line.count), [Self.line.count])
        test.backend.geluBackward(gradient, preactivation: test.tensor(Self.line, [Self.line.count]))
        for (x, slope) in zip(Self.line.doubles, gradient.numbers) {
            let expected = 0.5 * erfc(-x / 2.0.squareRoot()) + x * exp(-x * x / 2) / (2 * .pi).squareRoot()
            #expect(abs(Double(slope) - expected) < 1e-6, "gelu'(\(x))")
        }
    }

    @Test func extremes() throws {
        let y = try gelu([.nan, .infinity, 1e30, -1e30, 0, -0.0])
        #expect(y[0].isNaN)
        #expect(y[1] == .infinity)
        #expect(y[2] == 1e30)
        #expect(abs(y[3]) < 1e-6)
        #expect(y[4] == 0 && y[5] == 0)
    }
}
