import Console
import Foundation
import Synchronization

/// A crash of a decoder process: a bad access, a trap, an abort, as a hostile video may cause in the library that decodes it.
///
/// The signal handler holds the crashed thread while the heartbeat's thread tells the batcher which ticket caused the crash. Then the
/// process ends, and its supervisor starts it again. Where the heartbeat's thread does not end it within 3 s, the signal does, and the
/// batcher sees the decoder vanish. Kills from outside, by SIGKILL for instance, are not reported: they say nothing about the ticket.
public enum Crash {
    /// The exit status of a process that has reported its crash: EX_TEMPFAIL of sysexits.h, "start me again".
    public static let exitCode = EX_TEMPFAIL

    private static let signals = [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS]
    private static let caught = Atomic<Int32>(0)

    /// The signal of a crash, nil as long as there was none.
    static var signal: Int32? {
        let number = caught.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// Reports crashes of this process from now on; of stack overflows only those of the thread that calls this.
    public static func catchSignals() {
        _ = caught.load(ordering: .relaxed)
        handleSignals(signals, flags: Int32(bitPattern: UInt32(SA_RESETHAND))) { number in
            Crash.caught.store(number, ordering: .relaxed)
            for _ in 0..<30 { usleep(100_000) }
            // SA_RESETHAND has restored the default action, so this signal ends the process.
            kill(getpid(), number)
        }
    }
}
