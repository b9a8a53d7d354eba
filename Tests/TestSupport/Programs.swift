import Foundation

/// Tandem's programs, run as a user runs them.
public enum Programs {
    /// Where the programs lie: beside the test bundle.
    public static let folder: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().path
    }()

    /// The folder of the package.
    public static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The path of a program of the system, nil where it is not installed.
    public static func find(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { $0 + "/" + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs any program to its end. Returns its exit code and all that it printed.
    public static func run(
        path: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (status: Int32, output: String) {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    /// Runs some of these tests, those of a target or of a suite, in another process.
    public static func runTests(of name: String, environment: [String: String]) throws -> (status: Int32, output: String) {
        try run(
            path: FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            ["--testing-library", "swift-testing", "--filter", name], environment: environment)
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - folder: the working directory.
    ///   - seconds: after so long it is killed, which shows as status -9.
    /// - Returns: the exit code, or the negative number of the signal that ended it, and all that it printed.
    public static func run(
        _ name: String, _ arguments: [String], in folder: String, seconds: Int = 120
    ) throws -> (status: Int32, output: String) {
        let process = try start(name, arguments, in: folder)
        return finish(process, seconds: seconds)
    }

    /// Starts a program and leaves it running.
    ///
    /// - Parameter environment: what it has beside the environment of the tests.
    public static func start(
        _ name: String, _ arguments: [String], in folder: String, environment: [String: String] = [:]
    ) throws -> Running {
        try start(path: self.folder + "/" + name, arguments, in: folder, environment: environment)
    }

    /// Starts any program and leaves it running.
    public static func start(
        path: String, _ arguments: [String], in folder: String, environment: [String: String] = [:]
    ) throws -> Running {
        let output = folder + "/\((path as NSString).lastPathComponent)-\(UUID().uuidString).output"
        try Data().write(to: URL(fileURLWithPath: output))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        return Running(process: process, outputPath: output)
    }

    /// Waits for the end of a program.
    public static func finish(_ running: Running, seconds: Int = 120) -> (status: Int32, output: String) {
        let killer = DispatchSource.makeTimerSource()
        killer.schedule(deadline: .now() + .seconds(seconds))
        let identifier = running.process.processIdentifier
        killer.setEventHandler { kill(identifier, SIGKILL) }
        killer.resume()
        running.process.waitUntilExit()
        killer.cancel()
        let status = running.process.terminationStatus
        return (running.process.terminationReason == .exit ? status : -status, running.output)
    }

    /// A program that was started.
    public struct Running {
        public let process: Process
        let outputPath: String

        /// What it has printed so far.
        public var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }

        /// Sends a signal.
        public func signal(_ number: Int32) { kill(process.processIdentifier, number) }
    }
}
