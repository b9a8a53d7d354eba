import Foundation
import TestBackends
import TestSupport
import Testing

/// OpenBLAS is found at run time; one that will not do is refused, however often it is asked for.
@Suite struct LibraryTests {
    private static let clang = Programs.find("clang")
    /// The environment variable that tells a second process of these tests that its OpenBLAS is a poor one.
    private static let variable = "TANDEM_TEST_POOR_OPENBLAS"

    @Test(.enabled(if: clang != nil, "there is no clang on the PATH")) func aLibraryWithoutAFunctionIsRefusedEveryTime() throws {
        if ProcessInfo.processInfo.environment[Self.variable] != nil {
            for _ in 0..<3 {
                #expect {
                    _ = try TestBackend.cpuBackend(threads: 1)
                } throws: {
                    "\($0)" == "libopenblas.so.0 has no cblas_sgemm; 'make setup' installs one that has"
                }
            }
            return
        }
        try withTemporaryFolder { folder in
            // It has the product, and nothing that tells which kernels it chose.
            try Data("void cblas_sgemm(void) {}\n".utf8).write(to: URL(fileURLWithPath: folder + "/openblas.c"))
            let (compiled, messages) = try Programs.run(
                path: Self.clang!, ["-shared", "-fPIC", "-o", folder + "/libopenblas.so.0", folder + "/openblas.c"])
            try #require(compiled == 0, "\(messages)")
            let (status, output) = try Programs.runTests(
                of: "LibraryTests", environment: [Self.variable: "1", "LD_LIBRARY_PATH": folder])
            #expect(status == 0, "\(output)")
        }
    }
}
