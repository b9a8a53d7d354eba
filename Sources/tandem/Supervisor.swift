import Base
import Console
import Foundation

/// What the end of a process means. One that a signal ended, or that asks for it, is started again, but the one that ends the run.
enum RestartPolicy {
    /// Its end is the end of the run.
    case main
    /// The run needs it: an error that it reports ends the run.
    case needed
    /// The run goes on without it: where it reports an error, or ends by signals too often.
    case optional
}

/// One process to keep running.
struct Role {
    /// Prefix of its log lines.
    var name: String
    /// Name of the program, which lies beside this one.
    var program: String
    var arguments: [String]
    var restartPolicy: RestartPolicy
    /// Whether it becomes a launcher of MPI, which starts several.
    var isSeveral = false

    /// What asks it to stop. Launchers of MPI hand this one on, and end everything at others.
    fileprivate var stopSignal: Int32 { isSeveral ? SIGUSR1 : SIGTERM }

    /// What the end of a launcher says of the processes that it started: the negative number of the signal that one of them was ended by,
    /// which the others follow; else its exit code. MPICH gives the signal's number, Open MPI adds 128.
    fileprivate func status(ofLauncher status: Int32) -> Int32 {
        let signals = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGSEGV]
        return isSeveral && signals.contains(status % 128) ? -(status % 128) : status
    }
}

/// Keeps the processes of a run alive, prefixes their logs, and stops them in the order of their roles.
///
/// One thread and one `poll`: a child's end shows as the end of its output, or as its own where something that it started keeps the output
/// open.
final class Supervisor {
    private var children: [Child]
    private var liveLine = ""
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let nameWidth: Int

    /// Ends of one role within a minute that make a crash loop.
    private static let crashLimit = 5
    /// Seconds that a process may take to stop before it is killed. A trainer writes its checkpoint within them.
    private static let stopLimit = 120.0

    /// - Parameter roles: in the order in which they are stopped.
    init(_ roles: [Role]) {
        children = roles.map(Child.init)
        nameWidth = roles.map(\.name.count).max() ?? 0
    }

    /// Starts everything, and returns when the role that ends the run has ended or the user asked to stop; by then all have stopped.
    func run() throws {
        Interruption.catchSignals()
        var failure: (any Error)?
        do {
            for child in children.reversed() { try child.start() }
            try superviseUntilEnd()
        } catch {
            failure = error
        }
        stopAll()
        if isTerminal, !liveLine.isEmpty { writeError("\n") }
        if let failure { throw failure }
    }

    private func superviseUntilEnd() throws {
        while !Interruption.isRequested, children.contains(where: \.isRunning) {
            for child in readOutput(of: children.filter(\.isRunning)) {
                let status = child.role.status(ofLauncher: child.reap())
                switch (child.role.restartPolicy, status) {
                case (.main, 0): return
                case (.needed, EX_TEMPFAIL):
                    show("ended, having told why; starting it again", from: child.role.name)
                    try child.start()
                case (.needed, ..<0), (.optional, ..<0): try restart(child, status: status)
                // One of several trainers was killed, and the launcher has ended the others: they go on at their last checkpoint.
                case (.main, ..<0) where child.role.isSeveral: try restart(child, status: status)
                case (_, 0): show("has ended", from: child.role.name)
                case (.optional, _): show("ended with \(describe(status)); the run goes on without it", from: child.role.name)
                default: throw Failure("\(child.role.name) ended with \(describe(status)); its last lines above say why")
                }
            }
        }
    }

    private func restart(_ child: Child, status: Int32) throws {
        let now = monotonicSeconds()
        child.ends = child.ends.filter { now - $0 < 60 } + [now]
        guard child.ends.count < Self.crashLimit else {
            let ends = "ended \(Self.crashLimit) times within a minute, last with \(describe(status))"
            if child.role.restartPolicy == .optional { return show("\(ends); the run goes on without it", from: child.role.name) }
            throw Failure("\(child.role.name) \(ends); its lines above say why")
        }
        show("ended with \(describe(status)); starting it again", from: child.role.name)
        try child.start()
    }

    /// Asks each role in turn to stop and waits for it, so that a stage outlives those that ask it.
    private func stopAll() {
        for child in children where child.isRunning {
            child.signal(child.role.stopSignal)
            let deadline = monotonicSeconds() + Self.stopLimit
            while child.isRunning {
                for ended in readOutput(of: children.filter(\.isRunning)) { _ = ended.reap() }
                if monotonicSeconds() > deadline { child.signal(SIGKILL) }
            }
        }
    }

    /// Waits up to a quarter of a second for output, shows it, and returns the children whose output has ended.
    private func readOutput(of children: [Child]) -> [Child] {
        var polled = children.map { pollfd(fd: $0.output, events: Int16(POLLIN), revents: 0) }
        guard poll(&polled, nfds_t(polled.count), 250) > 0 else { return children.filter(\.hasEnded) }
        return zip(children, polled).filter { child, entry in
            guard entry.revents != 0 else { return child.hasEnded }
            guard let pieces = child.readPieces() else { return true }
            for piece in pieces {
                if piece.isLive { showLive(piece.text) } else { show(piece.text, from: child.role.name) }
            }
            return false
        }.map(\.0)
    }

    private func show(_ text: String, from name: String) {
        let clear = isTerminal && !liveLine.isEmpty ? "\r\u{1B}[K" : ""
        writeError("\(clear)\(name.padding(toLength: nameWidth, withPad: " ", startingAt: 0)) | \(text)\n")
        if isTerminal, !liveLine.isEmpty { writeError(liveLine) }
    }

    private func showLive(_ text: String) {
        liveLine = text
        if isTerminal { writeError("\r\u{1B}[K\(text)") }
    }

    private func describe(_ status: Int32) -> String {
        status < 0 ? "signal \(-status) (\(String(cString: strsignal(-status))))" : "exit code \(status)"
    }
}

/// A process and the unfinished line of its output.
private final class Child {
    let role: Role
    /// Times of its ends, for the crash limit.
    var ends: [Double] = []
    private var process = Process()
    private var pipe = Pipe()
    private var rest: [UInt8] = []
    private(set) var isRunning = false

    init(_ role: Role) { self.role = role }

    var output: Int32 { pipe.fileHandleForReading.fileDescriptor }

    func start() throws {
        process = try siblingProcess(role.program, role.arguments)
        pipe = Pipe()
        rest = []
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        isRunning = true
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Whether the process itself has ended, whatever it started.
    var hasEnded: Bool { !process.isRunning || askStatus(waits: false) != nil }

    /// Waits for the end of the process. Returns its exit code, or the negative number of the signal that ended it.
    func reap() -> Int32 {
        defer { isRunning = false }
        // `Process` has heard of an end that the system no longer tells of.
        if let status = askStatus(waits: true) { return status }
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// What `reap` returns, as the system tells it; nil while the process runs, and where `Process` has already asked.
    ///
    /// `Process` itself takes a process for running as long as anything does that it started, such as the program that prints a crash:
    /// it waits for the end of a socket that they all inherit.
    private func askStatus(waits: Bool) -> Int32? {
        var end = siginfo_t(), answer: Int32
        repeat {
            answer = waitid(P_PID, id_t(process.processIdentifier), &end, WEXITED | WNOWAIT | (waits ? 0 : WNOHANG))
        } while answer != 0 && errno == EINTR
        let child = end._sifields._sigchld
        guard answer == 0, child.si_pid != 0 else { return nil }
        return end.si_code == CLD_EXITED ? child.si_status : -child.si_status
    }

    /// Whole lines of new output; those that end in a carriage return are live. Nil at the end of the output.
    func readPieces() -> [(text: String, isLive: Bool)]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = read(output, &buffer, buffer.count)
        guard count > 0 else { return nil }
        rest += buffer[..<count]
        var pieces: [(text: String, isLive: Bool)] = []
        while let end = rest.firstIndex(where: { $0 == 10 || $0 == 13 }) {
            pieces.append((String(decoding: rest[..<end], as: UTF8.self), rest[end] == 13))
            rest.removeSubrange(...end)
        }
        return pieces
    }
}
