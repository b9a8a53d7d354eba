import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct PositionEmbeddingTests {
    @Test(arguments: TestBackend.devices) func rowsOfATableAreAdded(backend: TestBackend) throws {
        let width = 5, positions = (0..<300).map { $0 * 3 % 7 }
        let check = try GradientCheck([.variable([300, width])], Path(backend, .f32))
        let table = TestNumbers.normal(7 * width, seed: 5)
        let y = check.tape.positionEmbedding(
            check.variable(0), table: check.tape.arena.tensor(table, [7, width]), positions: check.indices(positions))
        check.expectAgreement(y) { inputs in
            inputs[0].indices.map { inputs[0][$0] + Double(table[positions[$0 / width] * width + $0 % width]) }
        }
    }

    @Test(arguments: TestBackend.devices) func rowsOfALearnedTableAreAdded(backend: TestBackend) throws {
        let width = 5
        // Tokens at both places and at none; enough rows for several tasks.
        let positions = (0..<300).map { $0 % 3 - 1 } + [-1]
        let check = try GradientCheck([.variable([positions.count, width]), .parameter([1, 2, width])], Path(backend, .f32))
        let y = check.tape.positionEmbedding(check.variable(0), check.parameter(1), positions: check.indices(positions))
        check.expectAgreement(y) { inputs in
            inputs[0].indices.map { index in
                let position = positions[index / width]
                return inputs[0][index] + (position < 0 ? 0 : inputs[1][position * width + index % width])
            }
        }
    }
}
