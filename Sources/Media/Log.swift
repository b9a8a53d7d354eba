import CFFmpeg

/// Keeps libav from writing to standard error: what matters comes back as a ``MediaError``.
func silenceLibav() { _ = silenced }

private let silenced: Void = av_log_set_level(AV_LOG_QUIET)
