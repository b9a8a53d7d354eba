import Foundation
import Sampling
import Testing

@Suite struct PortableMathTests {
    @Test func agreesWithTheCLibrary() {
        for step in -2000...2000 {
            let x = Double(step) / 400
            #expect(abs(exponential(x) / exp(x) - 1) < 2e-14, "e to the \(x)")
            let y = pow(10, x * 0.4)
            #expect(abs(logarithm(y) - log(y)) < 1e-14, "logarithm of \(y)")
        }
    }
}
