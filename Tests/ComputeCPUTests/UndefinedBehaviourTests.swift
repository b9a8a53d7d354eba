import Foundation
import TestSupport
import Testing

@Suite struct UndefinedBehaviourTests {
    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    /// The compiler that compiled the kernels, or nil.
    private static let clang = Programs.find("clang")

    /// The kernels compiled so that undefined behaviour ends the process, and given what is no ordinary number.
    @Test(.enabled(if: clang != nil, "there is no clang on the PATH"), .timeLimit(.minutes(10)))
    func noKernelRelies() throws {
        try withTemporaryFolder { folder in
            let sources = Self.package + "/Sources", kernels = sources + "/CKernels/table"
            func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
                let process = Process(), output = Pipe()
                process.executableURL = URL(fileURLWithPath: program)
                process.arguments = arguments
                process.standardOutput = output
                process.standardError = output
                try process.run()
                let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                return (process.terminationStatus, text)
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: kernels).filter { $0.hasSuffix(".c") }.map {
                kernels + "/" + $0
            }
            let (compiled, messages) = try run(
                Self.clang!,
                ["-O1", "-fsanitize=undefined,float-cast-overflow", "-fsanitize-trap=all"]
                    + ["-I", sources + "/CKernels/include", "-I", sources + "/CInstructions/include", "-o", folder + "/kernels", "-lm"]
                    + files + [sources + "/CInstructions/instructions.c", Self.package + "/Tests/Fixtures/Kernels/not_finite.c"])
            try #require(compiled == 0, "\(messages)")
            let (status, output) = try run(folder + "/kernels", [])
            #expect(status == 0, "ended by signal \(status) in: \(output)")
        }
    }
}
