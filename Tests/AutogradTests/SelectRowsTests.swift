import Autograd
import Compute
import TestBackends
import Testing

@Suite struct SelectRowsTests {
    /// Backwards, one row left out and one taken twice; enough rows for several tasks.
    @Test(arguments: TestBackend.devices) func someRowsInAnOrderOfTheirOwn(backend: TestBackend) throws {
        let width = 5
        let sources = (0..<300).reversed().filter { $0 != 7 } + [3]
        let check = try GradientCheck([.variable([300, width])], Path(backend, .f32))
        let y = check.tape.selectRows(check.variable(0), sources: check.indices(sources))
        check.expectAgreement(y) { inputs in sources.flatMap { inputs[0][$0 * width..<($0 + 1) * width] } }
    }
}
