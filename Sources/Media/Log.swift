import CFFmpeg
import Glibc
import Synchronization

/// Keeps libav from writing to standard error: what matters comes back as a ``MediaError``.
func silenceLibav() { _ = silenced }

/// The status of the last error answer to libav's http protocol. libav's error codes distinguish 404, but not 410; its log has both.
let lastHTTPError = Atomic<Int>(0)

/// Whether libav's tls protocol has refused a certificate. Its error code is the general one; only its log says it.
let hasRefusedCertificate = Atomic<Bool>(false)

private let silenced: Void = av_log_set_callback { _, level, format, arguments in
    guard level <= AV_LOG_WARNING, let format, let arguments else { return }
    func begins(_ text: String) -> Bool { strncmp(format, text, text.utf8.count) == 0 }
    if begins("HTTP error %d") {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
            vsnprintf(text.baseAddress!, text.count, format, arguments)
            lastHTTPError.store(strtol(text.baseAddress! + 11, nil, 10), ordering: .relaxed)
        }
    } else if begins("Unable to verify peer certificate") || begins("Peer certificate failed") || begins("The certificate's owner") {
        hasRefusedCertificate.store(true, ordering: .relaxed)
    }
}
