import CFFmpeg
import Glibc

/// A file on an http server, read through libav's http protocol as bytes at positions.
///
/// Demuxers never see the server's troubles: a connection that fails is made anew where it was. Where that does not help in time, and
/// where the file is not there, reads fail and ``failure`` says why.
final class RemoteFile {
    /// Bytes that demuxers ask for at a time.
    private static let bufferByteCount = 64 << 10
    /// Seconds that a connection may stay silent before another is tried, where patience lasts as long.
    private static let silence = 10.0

    private let url: String
    private let server: MediaServer
    /// What the demuxer reads from. Valid as long as this object.
    private(set) var context: UnsafeMutablePointer<AVIOContext>! = nil
    /// Why nothing more will come, nil as long as something may.
    private(set) var failure: MediaError?

    private var connection: UnsafeMutablePointer<AVIOContext>?
    private var position: Int64 = 0
    private var byteCount: Int64 = 0

    init(url: String, server: MediaServer) throws(MediaError) {
        silenceLibav()
        self.url = url
        self.server = server
        context = avio_alloc_context(
            av_malloc(Self.bufferByteCount)?.assumingMemoryBound(to: UInt8.self), Int32(Self.bufferByteCount), 0,
            Unmanaged.passUnretained(self).toOpaque(),
            { opaque, buffer, count in Unmanaged<RemoteFile>.fromOpaque(opaque!).takeUnretainedValue().read(into: buffer!, count) }, nil,
            { opaque, offset, origin in Unmanaged<RemoteFile>.fromOpaque(opaque!).takeUnretainedValue().seek(offset, origin) })!
        _ = persist { connect() }
        if let failure { throw failure }
        byteCount = avio_size(connection)
        guard connection!.pointee.seekable & AVIO_SEEKABLE_NORMAL != 0, byteCount >= 0 else {
            throw MediaError(.serverAway, url, "the server answers no range requests, without which frames cannot be sought")
        }
    }

    private func read(into buffer: UnsafeMutablePointer<UInt8>, _ count: Int32) -> Int32 {
        guard position < byteCount else { return endOfFile }
        let code = persist {
            let code = connect()
            guard code >= 0, let connection else { return code }
            let place = avio_seek(connection, position, SEEK_SET)
            guard place == position else { return place < 0 ? Int32(truncatingIfNeeded: place) : tandem_averror(EIO) }
            let received = avio_read_partial(connection, buffer, count)
            // Before the end of the file, the end of the connection is an early one.
            return received == 0 || received == endOfFile ? tandem_averror(ECONNRESET) : received
        }
        if code > 0 { position += Int64(code) }
        return code
    }

    private func seek(_ offset: Int64, _ origin: Int32) -> Int64 {
        if origin & AVSEEK_SIZE != 0 { return byteCount }
        let base: Int64? =
            switch origin & ~AVSEEK_FORCE {
            case SEEK_SET: 0
            case SEEK_CUR: position
            case SEEK_END: byteCount
            default: nil
            }
        guard let base, case let (target, isBeyond) = base.addingReportingOverflow(offset), !isBeyond, target >= 0 else {
            return Int64(tandem_averror(EINVAL))
        }
        position = target
        return target
    }

    /// Opens a connection at the position, unless there is one.
    private func connect() -> Int32 {
        guard connection == nil else { return 0 }
        var options: OpaquePointer?
        // Redirects may lead to other servers, and to nothing else.
        av_dict_set(&options, "protocol_whitelist", "http,https,tcp,tls", 0)
        let silence = server.patience > 0 ? min(Self.silence, server.patience) : Self.silence
        av_dict_set_int(&options, "rw_timeout", Int64(silence * 1e6), 0)
        av_dict_set_int(&options, "offset", position, 0)
        av_dict_set(&options, "user_agent", "tandem", 0)
        defer { av_dict_free(&options) }
        lastHTTPError.store(0, ordering: .relaxed)
        return avio_open2(&connection, url, AVIO_FLAG_READ, nil, &options)
    }

    /// Tries something until it succeeds, the file turns out not to be there, or patience is at its end.
    private func persist(_ attempt: () -> Int32) -> Int32 {
        let begin = Self.seconds
        var nextLine = begin + 1
        var pause = 0.1
        while failure == nil {
            let code = attempt()
            if code >= 0 { return code }
            avio_closep(&connection)
            let trouble = describe(code)
            if code == tandem_averror_http_not_found() || lastHTTPError.load(ordering: .relaxed) == 410 {
                failure = MediaError(.missing, url, "the server answers: \(trouble)")
            } else if server.isStopped() {
                failure = MediaError(.serverAway, url, "asked to stop while waiting")
            } else if server.patience > 0, Self.seconds - begin > server.patience {
                failure = MediaError(
                    .serverAway, url, "nothing came for \(Int(server.patience)) s, at last: \(trouble); start the server, or mend it")
            } else {
                if Self.seconds > nextLine {
                    nextLine += 5
                    server.log("waiting for \(url): \(trouble)")
                }
                usleep(UInt32(pause * 1e6))
                pause = min(2, pause * 2)
            }
        }
        return tandem_averror(EIO)
    }

    private static var seconds: Double { Double(nanoseconds(on: CLOCK_MONOTONIC)) / 1e9 }

    deinit {
        avio_closep(&connection)
        av_freep(&context.pointee.buffer)
        avio_context_free(&context)
    }
}
