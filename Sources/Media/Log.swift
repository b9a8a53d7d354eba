import CFFmpeg
import Glibc
import Synchronization

/// Keeps libav from writing to standard error: what matters comes back as a ``MediaError``.
func silenceLibav() { _ = silenced }

/// The status of the last answer that libav's http protocol held for an error. Its error codes tell 404 from others, but not 410; its log does.
let lastHTTPError = Atomic<Int>(0)

/// Whether libav's tls protocol has refused a certificate. Its error code is the one for everything; its log tells.
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
