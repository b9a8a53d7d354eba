import Base
import Console
import Foundation

/// One process of the run: started, disturbed and started again.
final class RoleProcess {
    enum Role: String, CaseIterable {
        case batcher, trainer, evaluator, decoder, twin, hostile
    }

    let role: Role
    let name: String
    /// Where it runs, in a run on several hosts.
    let host: Host
    /// All output of all its lives.
    let outputPath: String
    private let command: [String]
    private let folder: String
    private var process: Process?
    private var outputStart: UInt64 = 0

    /// Whether it is to run; one that is not is not started again.
    var isWanted = true
    /// When to start it again, on the clock of `monotonicSeconds`.
    var startsAt = 0.0
    var isPaused = false
    /// Whether its end was our doing, or is awaited.
    var isEndExpected = false

    /// - Parameter command: the program's path and its arguments.
    init(_ role: Role, _ name: String, on host: Host, command: [String], folder: String) {
        self.role = role
        self.name = name
        self.host = host
        self.command = command
        self.folder = folder
        outputPath = folder + "/\(name).output"
        _ = FileManager.default.createFile(atPath: outputPath, contents: nil)
    }

    /// Whether it was started and its end not yet taken note of.
    var isStarted: Bool { process != nil }

    var hasEnded: Bool { process.map { !$0.isRunning } ?? false }

    /// Whether it runs and nothing holds it.
    var isAtWork: Bool { isStarted && !hasEnded && !isPaused && !isEndExpected }

    func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = FileHandle.nullDevice
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: outputPath))
        outputStart = try output.seekToEnd()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try output.close()
        self.process = process
        isPaused = false
        isEndExpected = false
    }

    func signal(_ number: Int32) {
        guard let process, process.isRunning else { return }
        Foundation.kill(process.processIdentifier, number)
    }

    /// Ends it in a way that it cannot notice.
    func kill() {
        isEndExpected = true
        signal(SIGKILL)
    }

    func pause() {
        isPaused = true
        signal(SIGSTOP)
    }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        signal(SIGCONT)
    }

    /// Takes note of its end. Returns its exit code, or the negative number of the signal that ended it.
    func reap() -> Int32 {
        guard let process else { return 0 }
        process.waitUntilExit()
        self.process = nil
        isPaused = false
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// What it printed in its present or last life.
    var output: String {
        guard let file = try? FileHandle(forReadingFrom: URL(fileURLWithPath: outputPath)), (try? file.seek(toOffset: outputStart)) != nil
        else { return "" }
        return String(decoding: file.readDataToEndOfFile(), as: UTF8.self)
    }

    /// Resident memory in bytes, 0 where it does not run.
    var residentBytes: Int {
        guard let process, process.isRunning else { return 0 }
        return SystemMemory.resident(ofProcess: process.processIdentifier)
    }
}
