import CFFmpeg
import Glibc
import Synchronization

/// Keeps libav from writing to standard error: what matters comes back as a ``MediaError``.
func silenceLibav() { _ = silenced }

/// The status of the last answer that libav's http protocol held for an error. Its error codes tell 404 from others, but not 410; its log does.
let lastHTTPError = Atomic<Int>(0)

private let silenced: Void = av_log_set_callback { _, _, format, arguments in
    guard let format, let arguments, strncmp(format, "HTTP error %d", 13) == 0 else { return }
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
        vsnprintf(text.baseAddress!, text.count, format, arguments)
        lastHTTPError.store(strtol(text.baseAddress! + 11, nil, 10), ordering: .relaxed)
    }
}
