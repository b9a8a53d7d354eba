import Base
import CFFmpeg
import Glibc

/// The processor time that work on a file may take. libav asks for it while it reads, the decode loop between packets.
///
/// Time of the thread, not of the clock on the wall: how busy the machine is, or how slow a server, says nothing about a file.
final class Deadline {
    private let duration: UInt64
    private var end: UInt64 = 0

    init(seconds: Double) {
        duration = UInt64(seconds * 1e9)
        restart()
    }

    /// Grants the full time again.
    func restart() { end = Self.now + duration }

    /// Does what is no work on the file: the time that it takes is granted on top.
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
