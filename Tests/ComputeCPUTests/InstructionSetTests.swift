import CKernels
import TestBackends
import TestSupport
import Testing

/// Every instruction set that kernels are compiled for passes all tests of operations, not only the one that this processor would choose.
@Suite(.enabled(if: TestBackend.told == nil, "these are the tests of one instruction set"))
struct InstructionSetTests {
    /// A backend is given its kernels as it starts; so that no test needs to know, another process runs them all.
    private func runAllTests(_ instructions: Int) throws {
        let (status, output) = try Programs.runTests(
            of: "ComputeTests|ComputeCPUTests", environment: [TestBackend.instructionsVariable: "\(instructions)"])
        let failures = output.split(separator: "\n").filter { $0.contains("recorded an issue") }
        #expect(status == 0, "\(failures.joined(separator: "\n"))")
        #expect(output.contains("Suite GELUTests passed"))
    }

    @Test(.timeLimit(.minutes(30))) func baseline() throws { try runAllTests(tandem_baseline) }

    @Test(.enabled(if: tandem_best_instructions() >= tandem_x86_64_v3, "this processor has no AVX2"), .timeLimit(.minutes(30)))
    func v3() throws { try runAllTests(tandem_x86_64_v3) }

    @Test(.enabled(if: tandem_best_instructions() >= tandem_x86_64_v4, "this processor has no AVX-512"), .timeLimit(.minutes(30)))
    func v4() throws { try runAllTests(tandem_x86_64_v4) }

    @Test(arguments: 0...tandem_best_instructions()) func theLogSaysWhichKernelsCompute(instructions: Int32) {
        let summary = TestBackend.cpuBackend(threads: 2, instructions: instructions).summary
        #expect(summary.contains("kernels " + String(cString: tandem_instructions_name(instructions))))
    }
}
