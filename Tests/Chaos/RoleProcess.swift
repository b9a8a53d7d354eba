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
    /// The program of the processes that a launcher starts, which are disturbed in its place; nil: this is no launcher.
    private let member: String?
    private var process: Process?
    private var outputStart: UInt64 = 0

    /// Whether it is to run; one that is not is not started again.
    var isWanted = true
    /// When to start it again, on the clock of `monotonicSeconds`.
    var startsAt = 0.0
    var isPaused = false
    /// Whether its end was our doing, or is awaited.
    var isEndExpected = false

    /// The member that is stopped.
    private var pausedMember: pid_t?

    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - member: the program of the processes that it starts as a launcher of MPI.
    init(_ role: Role, _ name: String, on host: Host, command: [String], folder: String, member: String? = nil) {
        self.role = role
        self.name = name
        self.host = host
        self.command = command
        self.folder = folder
        self.member = member
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

    /// Ends it, or one of its members, in a way that it cannot notice.
    func kill() {
        isEndExpected = true
        if let member = members.randomElement() { Foundation.kill(member, SIGKILL) } else { signal(SIGKILL) }
    }

    /// Asks it to stop.
    func askToStop() {
        isEndExpected = true
        signal(member == nil ? SIGTERM : SIGUSR1)
    }

    func pause() {
        isPaused = true
        pausedMember = members.randomElement()
        if let pausedMember { Foundation.kill(pausedMember, SIGSTOP) } else { signal(SIGSTOP) }
    }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        if let pausedMember { Foundation.kill(pausedMember, SIGCONT) } else { signal(SIGCONT) }
        pausedMember = nil
    }

    /// What a launcher has started, while it runs.
    private var members: [pid_t] {
        guard let member, let process, process.isRunning else { return [] }
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { pid_t($0) }.filter { process in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")) == member
                && (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")) == folder
        }
    }

    /// How it may end that was asked to or killed. SIGTERM, or SIGUSR1, ends one that has only just been started; launchers tell of such ends
    /// of their members by the signal's number, or 128 more.
    var ends: Set<Int32> {
        guard member != nil else { return [0, -SIGKILL, -SIGTERM] }
        return Set([SIGKILL, SIGUSR1].flatMap { [$0, 128 + $0, -$0] } + [0])
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
        return (members + [process.processIdentifier]).map { SystemMemory.resident(ofProcess: $0) }.max()!
    }
}
