import Foundation
import TestSupport
import Testing

@Suite struct UndefinedBehaviourTests {
    /// The compiler that compiled the kernels, or nil.
    private static let clang = Programs.find("clang")

    /// The kernels compiled so that undefined behaviour ends the process, and given what is no ordinary number.
    @Test(.enabled(if: clang != nil, "there is no clang on the PATH"), .timeLimit(.minutes(30)))
    func noKernelHasAny() throws {
        try withTemporaryFolder { folder in
            let sources = Programs.package + "/Sources", kernels = sources + "/CKernels/table"
            let files = try FileManager.default.contentsOfDirectory(atPath: kernels).filter { $0.hasSuffix(".c") }.map {
                kernels + "/" + $0
            }
            let (compiled, messages) = try Programs.run(
                path: Self.clang!,
                ["-O1", "-fsanitize=undefined,float-cast-overflow", "-fsanitize-trap=all"]
                    + ["-I", sources + "/CKernels/include", "-I", sources + "/CInstructions/include", "-o", folder + "/kernels", "-lm"]
                    + files + [sources + "/CInstructions/instructions.c", Programs.package + "/Tests/Fixtures/Kernels/not_finite.c"])
            try #require(compiled == 0, "\(messages)")
            let (status, output) = try Programs.run(path: folder + "/kernels", [])
            #expect(status == 0, "ended by signal \(status) in: \(output)")
        }
    }
}
