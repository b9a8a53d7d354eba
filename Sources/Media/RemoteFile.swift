import Base
import CFFmpeg
import Glibc

/// A file on an http server, read through libav's http protocol as bytes at positions.
///
/// Demuxers do not see the server's failures: a connection that fails, falls silent or delivers too slowly is opened again at the same
/// position. Where that does not help within the timeout, or where the file does not exist, reads fail and ``failure`` says why.
///
/// Note "certificates": the certificate of an https server must be signed by one of the system's authorities, or by one in the file that
/// the environment variable `SSL_CERT_FILE` names, as with OpenSSL, curl and Python. What a redirect from https to http leads to is not
/// read.
final class RemoteFile {
    /// Bytes of a demuxer's read.
    private static let bufferByteCount = 64 << 10
    /// Seconds that a connection may stay silent before another is tried; a quarter of the timeout where that is less.
    private static let maximumSilence = 10.0
    /// Bytes after which a connection no longer counts as silent. Fewer in the same time are no better than silence.
    private static let minimumBytes = 4 << 10

    private let url: String
    /// The file's byte with which the demuxer's begin.
    private let start: Int64
    private let server: MediaServer
    private let silence: Double
    /// What the demuxer reads from. Valid as long as this object.
    private(set) var context: UnsafeMutablePointer<AVIOContext>! = nil
    /// Why no more bytes can be read; nil as long as some may be.
    private(set) var failure: MediaError?

    private var connection: UnsafeMutablePointer<AVIOContext>?
    private var position: Int64 = 0
    /// Bytes of the file, as the server said when it was opened.
    private var fileByteCount = 0
    /// Bytes that there are to read.
    private(set) var byteCount = 0
    /// Time at which the present attempt began.
    private var attemptBegin = 0.0
    /// Bytes since the last silence ended, and seconds of waiting for them: in all, and on this connection. Time between reads does not
    /// count.
    private var spell = (bytes: 0, waited: 0.0, waitedHere: 0.0)

    init(_ location: MediaLocation, server: MediaServer) throws(MediaError) {
        silenceLibav()
        url = location.file
        start = Int64(location.start)
        self.server = server
        silence = server.timeout > 0 ? min(Self.maximumSilence, server.timeout / 4) : Self.maximumSilence
        context = avio_alloc_context(
            av_malloc(Self.bufferByteCount)?.assumingMemoryBound(to: UInt8.self), Int32(Self.bufferByteCount), 0,
            Unmanaged.passUnretained(self).toOpaque(),
            { opaque, buffer, count in Unmanaged<RemoteFile>.fromOpaque(opaque!).takeUnretainedValue().read(into: buffer!, count) }, nil,
            { opaque, offset, origin in Unmanaged<RemoteFile>.fromOpaque(opaque!).takeUnretainedValue().seek(offset, origin) })!
        _ = persist { connect() }
        if let failure { throw failure }
        fileByteCount = Int(avio_size(connection))
        guard connection!.pointee.seekable & AVIO_SEEKABLE_NORMAL != 0, fileByteCount >= 0 else {
            throw MediaError(.serverAway, url, "the server answers no range requests, without which frames cannot be sought")
        }
        byteCount = try location.byteCount(in: fileByteCount)
    }

    /// The hash of all its bytes.
    func hash(_ algorithm: PixelHash.Algorithm) throws(MediaError) -> String {
        let hash = PixelHash(algorithm)
        var buffer = [UInt8](repeating: 0, count: Self.bufferByteCount)
        avio_seek(context, 0, SEEK_SET)
        while case let count = avio_read(context, &buffer, Int32(buffer.count)), count > 0 {
            buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<Int(count)])) }
        }
        if let failure { throw failure }
        return hash.finish()
    }

    /// Reads some bytes from the present position on. Returns how many: none at the end, -1 where ``failure`` says why.
    func readSome(into memory: UnsafeMutableRawBufferPointer) -> Int {
        let count = avio_read(context, memory.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(memory.count))
        return failure == nil && count != endOfFile ? Int(count) : failure == nil ? 0 : -1
    }

    /// Goes on so many bytes further; false where that is beyond the end.
    func skip(_ count: Int) -> Bool {
        let place = avio_seek(context, 0, SEEK_CUR)
        return place >= 0 && Int(place) + count <= byteCount && avio_seek(context, place + Int64(count), SEEK_SET) >= 0
    }

    /// Fills memory of the file's size with its bytes.
    func readAll(into memory: UnsafeMutableRawBufferPointer) throws(MediaError) {
        let count = avio_read(context, memory.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(memory.count))
        if let failure { throw failure }
        guard Int(count) == memory.count else { throw MediaError(.cannotRead, url, "the file ended early") }
    }

    private func read(into buffer: UnsafeMutablePointer<UInt8>, _ count: Int32) -> Int32 {
        guard position < Int64(byteCount) else { return endOfFile }
        let code = persist {
            let code = connect()
            guard code >= 0, let connection else { return code }
            let place = avio_seek(connection, start + position, SEEK_SET)
            guard place == start + position else { return place < 0 ? Int32(truncatingIfNeeded: place) : tandem_averror(EIO) }
            guard !isDowngraded else { return tandem_averror(EPROTONOSUPPORT) }
            let received = avio_read_partial(connection, buffer, Int32(min(Int64(count), Int64(byteCount) - position)))
            // Every answer to a range request states the file's size.
            let size = Int(avio_size(connection))
            if received > 0, size != fileByteCount {
                failure = MediaError(.changed, url, "it has \(size) bytes, \(fileByteCount) when it was opened; prepare again")
                return tandem_averror(EIO)
            }
            // The position is before the end of the file, so the server has closed the connection too early.
            return received == 0 || received == endOfFile ? tandem_averror(ECONNRESET) : received
        }
        if code > 0 { position += Int64(code) }
        return code
    }

    private func seek(_ offset: Int64, _ origin: Int32) -> Int64 {
        if origin & AVSEEK_SIZE != 0 { return Int64(byteCount) }
        let base: Int64? =
            switch origin & ~AVSEEK_FORCE {
            case SEEK_SET: 0
            case SEEK_CUR: position
            case SEEK_END: Int64(byteCount)
            default: nil
            }
        guard let base, case let (target, isBeyond) = base.addingReportingOverflow(offset), !isBeyond, target >= 0 else {
            return Int64(tandem_averror(EINVAL))
        }
        position = target
        return target
    }

    /// Opens a connection, unless there is one. It begins at the file's first byte: with libav's option to begin elsewhere, later seeks
    /// would count from that place.
    private func connect() -> Int32 {
        guard connection == nil else { return 0 }
        var options = LibavOptions()
        // Redirects may lead to other http servers, but to no other protocol.
        options.set("protocol_whitelist", "http,https,tls,tcp")
        options.set("rw_timeout", Int64(silence * 1e6))
        options.set("user_agent", "tandem")
        // See note "certificates". By default, libav accepts any certificate.
        options.set("tls_verify", "1")
        if let authorities = getenv("SSL_CERT_FILE") { options.set("ca_file", String(cString: authorities)) }
        lastHTTPError.store(0, ordering: .relaxed)
        hasRefusedCertificate.store(false, ordering: .relaxed)
        spell.waitedHere = 0
        // libav calls this while it waits. Its own time limit restarts with each byte, so a header that arrives byte by byte would not end.
        var interrupt = AVIOInterruptCB(
            callback: { opaque in Unmanaged<RemoteFile>.fromOpaque(opaque!).takeUnretainedValue().shouldGiveUp ? 1 : 0 },
            opaque: Unmanaged.passUnretained(self).toOpaque())
        return avio_open2(&connection, url, AVIO_FLAG_READ, &interrupt, &options.pointer)
    }

    /// Whether redirects have led from https to http.
    private var isDowngraded: Bool {
        guard url.lowercased().hasPrefix("https:") else { return false }
        var location: UnsafeMutablePointer<UInt8>?
        defer { av_freep(&location) }
        guard av_opt_get(connection, "location", AV_OPT_SEARCH_CHILDREN, &location) >= 0, let location else { return true }
        return !String(cString: location).lowercased().hasPrefix("https:")
    }

    private var shouldGiveUp: Bool { monotonicSeconds() - attemptBegin > silence || server.isStopped() }

    /// Repeats an attempt until it succeeds, the file turns out not to exist, or the timeout is over.
    ///
    /// - Parameter attempt: returns how many bytes came, or libav's code of an error.
    private func persist(_ attempt: () -> Int32) -> Int32 {
        var nextLine = monotonicSeconds() + 1
        var pause = 0.1
        while failure == nil {
            attemptBegin = monotonicSeconds()
            let code = attempt()
            count(monotonicSeconds() - attemptBegin, bytes: code)
            if code >= 0, spell.waitedHere < silence { return code }
            // The result of closing a connection that was only read from says nothing more.
            avio_closep(&connection)
            let trouble = describeTrouble(code)
            if code == tandem_averror_http_not_found() || lastHTTPError.load(ordering: .relaxed) == 410 {
                failure = MediaError(.missing, url, "the server answers: \(trouble)")
            } else if server.isStopped() {
                failure = MediaError(.serverAway, url, "asked to stop while waiting")
            } else if server.timeout > 0, spell.waited > server.timeout {
                failure = MediaError(
                    .serverAway, url, "nothing came for \(Int(server.timeout)) s, at last: \(trouble); start the server, or mend it")
            } else {
                if monotonicSeconds() > nextLine {
                    nextLine += 5
                    server.log("waiting for \(url): \(trouble)")
                }
                usleep(UInt32(pause * 1e6))
                spell.waited += pause
                pause = min(2, pause * 2)
            }
        }
        return tandem_averror(EIO)
    }

    private func count(_ waited: Double, bytes: Int32) {
        spell.waited += waited
        spell.waitedHere += waited
        spell.bytes += Int(max(0, bytes))
        if spell.bytes >= Self.minimumBytes { spell = (0, 0, 0) }
    }

    private func describeTrouble(_ code: Int32) -> String {
        if code >= 0 { return "fewer than \(Self.minimumBytes) bytes in \(Int(silence)) s" }
        if hasRefusedCertificate.load(ordering: .relaxed) {
            return "its certificate is not vouched for; SSL_CERT_FILE can name a file of other authorities"
        }
        if code == tandem_averror(EPROTONOSUPPORT) { return "it leads from https to http" }
        return describe(code == tandem_averror_exit() ? tandem_averror(ETIMEDOUT) : code)
    }

    deinit {
        avio_closep(&connection)
        av_freep(&context.pointee.buffer)
        avio_context_free(&context)
    }
}
