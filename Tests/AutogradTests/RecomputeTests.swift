import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct RecomputeTests {
    /// `x + linear(gelu(linear(layerNorm(x))))`, in a segment.
    private func segment(_ check: GradientCheck) -> Variable {
        let (x, parameters) = (check.variable(0), (1...6).map(check.parameter))
        return check.tape.segment { tape in
            let normalised = tape.layerNorm(x, weight: parameters[0], bias: parameters[1], epsilon: 1e-6)
            let inner = tape.linearGELU(normalised, weight: parameters[2], bias: parameters[3])
            return tape.linear(inner, addingTo: x, weight: parameters[4], bias: parameters[5])
        }
    }

    private func check(_ path: Path, recomputes: Bool) throws -> GradientCheck {
        try GradientCheck(
            [
                .variable([9, 6]), .parameter([6]), .parameter([6]), .parameter([10, 6]), .parameter([10]), .parameter([6, 10]),
                .parameter([6]),
            ], path, recomputes: recomputes)
    }

    @Test(arguments: Path.devices, [false, true]) func agreesWithFormula(path: Path, recomputes: Bool) throws {
        let check = try check(path, recomputes: recomputes)
        check.expectAgreement(segment(check)) { inputs in
            let normalised = Reference.layerNorm(inputs[0], weight: inputs[1], bias: inputs[2], epsilon: 1e-6)
            let inner = Reference.linear(normalised, weight: inputs[3], bias: inputs[4]).map(Reference.gelu)
            return zip(Reference.linear(inner, weight: inputs[5], bias: inputs[6]), inputs[0]).map { $0 + $1 }
        }
    }

    @Test(arguments: Path.devices) func changesNoBit(path: Path) throws {
        func gradients(recomputes: Bool) throws -> [[Float]] {
            let check = try check(path, recomputes: recomputes)
            let y = segment(check)
            y.accumulate(check.tape.arena.tensor(TestNumbers.normal(54, seed: 9), [9, 6]), check.tape)
            check.tape.backward()
            return ([y.value, check.variable(0).takeGradient()!] + (1...6).map { check.parameter($0).gradient }).map(check.numbers)
        }
        #expect(try gradients(recomputes: true) == gradients(recomputes: false))
    }
}
