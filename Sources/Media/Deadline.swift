import Base
import CFFmpeg
import Glibc

/// The processor time that work on a file may take. libav checks it while it reads, and the decode loop between packets.
///
/// It is the thread's processor time, not wall-clock time: a busy machine or a slow server says nothing about a file.
final class Deadline {
    private let duration: UInt64
    private var end: UInt64 = 0

    init(seconds: Double) {
        duration = UInt64(seconds * 1e9)
        restart()
    }

    /// Grants the full time again.
    func restart() { end = Self.now + duration }

    /// Runs work that is not the file's, and adds its time to the deadline.
    func pause(for body: () throws(MediaError) -> Void) throws(MediaError) {
        let begin = Self.now
        defer { end += Self.now - begin }
        try body()
    }

    var isOver: Bool { Self.now > end }

    /// For `AVFormatContext.interrupt_callback`. The deadline must outlive the context.
    var interruptCallback: AVIOInterruptCB {
        AVIOInterruptCB(
            callback: { opaque in Unmanaged<Deadline>.fromOpaque(opaque!).takeUnretainedValue().isOver ? 1 : 0 },
            opaque: Unmanaged.passUnretained(self).toOpaque())
    }

    private static var now: UInt64 { nanoseconds(on: CLOCK_THREAD_CPUTIME_ID) }
}
