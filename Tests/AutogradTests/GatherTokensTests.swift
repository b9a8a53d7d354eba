import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct GatherTokensTests {
    @Test(arguments: TestBackend.devices) func tokensFillersAndPositions(backend: TestBackend) throws {
        let width = 5
        // Row 3 of the input goes nowhere, fillers stand at both ends; enough rows for several tasks.
        let sources = [-1, 2, 0, -1, 1] + (4..<300).map { $0 } + [-1]
        let positions = sources.indices.map { $0 % 7 }
        let check = try GradientCheck([.variable([300, width]), .parameter([1, 1, width])], Path(backend, .f32))
        let table = TestNumbers.normal(7 * width, seed: 5)
        let y = check.tape.gatherTokens(
            check.variable(0), maskToken: check.parameter(1), table: check.tape.arena.tensor(table, [7, width]),
            sources: check.indices(sources), positions: check.indices(positions))
        check.expectAgreement(y) {
            Reference.gatherTokens($0[0], maskToken: $0[1], table: table.doubles, sources: sources, positions: positions)
        }
    }
}
