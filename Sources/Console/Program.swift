import Base
import Foundation
import Synchronization

/// Runs a program's body; an error becomes one line on standard error and exit code 1.
public func runProgram(_ name: String, _ body: () throws -> Void) {
    signal(SIGPIPE, SIG_IGN)
    if let parent = ProcessInfo.processInfo.environment[parentVariable].flatMap({ pid_t($0) }) { stopWithParent(parent) }
    do {
        try requireUTF8()
        try body()
    } catch {
        writeError("\(name): error: \(sentence(of: error))\n")
        exit(1)
    }
}

/// Refuses arguments and a working directory whose bytes are not UTF-8: what Swift makes of them would name something else.
private func requireUTF8() throws {
    func require(_ bytes: UnsafePointer<CChar>, _ what: String) throws {
        guard String(validatingCString: bytes) == nil else { return }
        throw Failure("\(what) is not UTF-8: '\(String(cString: bytes))'; rename it, or reach it through a link whose name is UTF-8")
    }
    for index in 1..<max(1, Int(CommandLine.argc)) {
        if let argument = CommandLine.unsafeArgv[index] { try require(argument, "argument \(index)") }
    }
    if let folder = getcwd(nil, 0) {
        defer { free(folder) }
        try require(folder, "the name of the working directory")
    }
}

/// Writes text to standard error at once.
public func writeError(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
}

/// Tells a user of the tool `tandem` what is not as it should be, and lets it go on.
public func warn(_ text: String) { writeError("tandem: warning: \(text)\n") }

/// Turns SIGHUP into a request to read again what may have changed.
public enum Hangup {
    private static let isPending = Atomic(false)

    /// From now on SIGHUP ends nothing.
    public static func catchSignal() {
        _ = isPending.load(ordering: .relaxed)
        handleSignals([SIGHUP]) { _ in Hangup.isPending.store(true, ordering: .relaxed) }
    }

    /// Whether there was one since the last time this was asked.
    @Sendable public static func take() -> Bool { isPending.exchange(false, ordering: .relaxed) }
}

/// Turns SIGINT and SIGTERM into a request that long work looks at between steps.
public enum Interruption {
    private static let count = Atomic<Int>(0)

    /// From now on SIGINT, SIGTERM, and SIGUSR1, which launchers of MPI and Slurm hand on, only raise ``isRequested``; a third signal ends the
    /// process.
    public static func catchSignals() {
        _ = count.load(ordering: .relaxed)
        handleSignals([SIGINT, SIGTERM, SIGUSR1]) { _ in
            if Interruption.count.add(1, ordering: .relaxed).newValue >= 3 { _exit(130) }
        }
    }

    /// Whether the process was asked to stop.
    public static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }
}

/// Has signals handled on a stack of their own. Call on the main thread, which is the one that the kernel gives them to.
///
/// The stack that the thread is on will not do: oneDNN's products (2.6) run with the stack pointer in memory from malloc, and what the
/// kernel pushes for a handler, some kilobytes with AVX-512, would overwrite what lies below; and a crash may be that it is full.
public func handleSignals(_ signals: [Int32], flags: Int32 = Int32(SA_RESTART), by handler: @escaping @convention(c) (Int32) -> Void) {
    func succeeded(_ result: Int32, _ call: String) {
        if result != 0 { fatalError("\(call) for signals \(signals): \(String(cString: strerror(errno)))") }
    }
    var present = stack_t()
    succeeded(sigaltstack(nil, &present), "sigaltstack")
    if present.ss_flags & Int32(SS_DISABLE) != 0 {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: signalStackByteCount, alignment: 16)
        var stack = stack_t(ss_sp: memory, ss_flags: 0, ss_size: signalStackByteCount)
        succeeded(sigaltstack(&stack, nil), "sigaltstack")
    }
    var action = sigaction()
    action.sa_flags = Int32(SA_ONSTACK) | flags
    action.__sigaction_handler.sa_handler = handler
    for number in signals { succeeded(sigaction(number, &action, nil), "sigaction") }
    // Whoever started this process may have had them blocked, which is inherited.
    var arriving = sigset_t()
    sigemptyset(&arriving)
    for number in signals { sigaddset(&arriving, number) }
    errno = pthread_sigmask(SIG_UNBLOCK, &arriving, nil)
    succeeded(errno, "pthread_sigmask")
}

private let signalStackByteCount = 64 << 10
