import CFFmpeg

/// The moment after which work on a file is given up. libav asks it while it waits for bytes, the decode loop between packets.
final class Deadline {
    private let nanoseconds: UInt64
    private var end: UInt64 = 0

    init(seconds: Double) {
        nanoseconds = UInt64(seconds * 1e9)
        restart()
    }

    /// Grants the full time again.
    func restart() { end = monotonicNanoseconds() + nanoseconds }

    var isOver: Bool { monotonicNanoseconds() > end }

    /// For `AVFormatContext.interrupt_callback`. The deadline must outlive the context.
    var interruptCallback: AVIOInterruptCB {
        AVIOInterruptCB(
            callback: { opaque in Unmanaged<Deadline>.fromOpaque(opaque!).takeUnretainedValue().isOver ? 1 : 0 },
            opaque: Unmanaged.passUnretained(self).toOpaque())
    }
}
