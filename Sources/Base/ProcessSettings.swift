import CLinux
import Glibc

/// Has malloc keep what is freed, up to 64 MiB, instead of giving it back to the system.
///
/// Programs that free blocks of some hundred KiB and soon want such again gain by it: for a message, page faults of new memory cost as much as
/// all its copies; for a still, whose codec is closed with it, a twentieth of its time. These are the values at which malloc arrives by itself
/// once a block of 32 MiB has been freed.
public func keepFreedMemory() { _ = kept }

private let kept: Void = {
    mallopt(M_MMAP_THRESHOLD, 32 << 20)
    mallopt(M_TRIM_THRESHOLD, 64 << 20)
}()

/// Has the system ask this process to stop, by SIGTERM, when the process that started it has ended in whatever way.
///
/// - Parameter parent: which process that is. Another may have started this one: then nothing happens.
public func stopWithParent(_ parent: pid_t) {
    guard getppid() == parent else { return }
    _ = tandem_signal_at_parents_end(SIGTERM)
    // It may have ended in between.
    if getppid() != parent { raise(SIGTERM) }
}

/// The cores that this process may run on, a bit each; all zero where the system does not tell.
public func allowedCores() -> [UInt64] {
    var mask = [UInt64](repeating: 0, count: 128)
    return tandem_allowed_cores(&mask, Int32(mask.count)) > 0 ? mask : mask.map { _ in 0 }
}
