import Console
import Foundation
import Synchronization

/// The death of a decoder by its own doing: a bad access, a trap, an abort; what a hostile video may do to a library that decodes it.
///
/// The thread that crashed is held while the heartbeat's thread tells the batcher which ticket did it. Then the process ends, and
/// whoever supervises it starts it again. Where nobody tells in time the signal ends the process, and the batcher sees it vanish.
/// Deaths from outside, by SIGKILL for instance, leave no such word: they say nothing about the ticket.
public enum Crash {
    /// How a process ends that told of its crash: EX_TEMPFAIL of sysexits.h, "start me again".
    public static let exitCode = EX_TEMPFAIL

    private static let signals = [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS]
    private static let caught = Atomic<Int32>(0)

    /// The signal of a crash, nil as long as there was none.
    static var signal: Int32? {
        let number = caught.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// From now on crashes of this process are told; those of stack overflow where this thread is the one that overflows.
    public static func catchSignals() {
        _ = caught.load(ordering: .relaxed)
        handleSignals(signals, flags: Int32(bitPattern: UInt32(SA_RESETHAND))) { number in
            Crash.caught.store(number, ordering: .relaxed)
            for _ in 0..<30 { usleep(100_000) }
            // The default action is back in force; what crashed crashes again, and what was sent is sent again.
            kill(getpid(), number)
        }
    }
}
