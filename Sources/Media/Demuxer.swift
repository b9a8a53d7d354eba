import CFFmpeg
import Glibc
import Sampling

/// One coded picture as a container stores it.
struct PacketInfo {
    /// Presentation time in the stream's time base; where the container has none, its decoding time, which is the same in streams
    /// without B-frames.
    var time: Int64?
    /// Whether the container says that decoding can begin here.
    var isKey: Bool
    /// Whether an edit list hides the picture.
    var isHidden: Bool
}

/// An open container and its video stream: the one that libav judges best.
struct Demuxer: ~Copyable {
    let location: MediaLocation
    var path: String { location.path }
    let context: UnsafeMutablePointer<AVFormatContext>
    private let deadline: Deadline
    /// The source of the container's bytes; nil where libav reads a file of this machine.
    private let remote: RemoteFile?

    /// The chosen stream; -1 until ``open(_:record:deadline:)`` has found it.
    private(set) var streamIndex: Int32 = -1

    /// The container formats that are read. Playlists and scripts, which name further files, are not among them.
    private static let formats =
        "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,m4v,asf,ogg,h264,hevc,ivf,obu,av1,nut,mxf,rm,dv,wtv,y4m,yuv4mpegpipe,gif"

    /// Opens a file and chooses its video stream.
    ///
    /// - Parameters:
    ///   - location: a regular file, or a part of one.
    ///   - record: the record of the video that the file should be, if it is known.
    static func open(
        _ location: MediaLocation, record: VideoRecord?, deadline: Deadline
    ) throws(MediaError) -> Demuxer {
        let path = location.path
        silenceLibav()
        MediaLimits.boundLibav()
        var remote: RemoteFile?
        let byteCount: Int
        if let server = location.server {
            let file = try RemoteFile(location, server: server)
            (remote, byteCount) = (file, file.byteCount)
        } else {
            byteCount = try location.byteCount()
        }
        try record?.requireSize(byteCount, at: path)
        if remote == nil, access(location.file, R_OK) != 0, errno == EACCES {
            throw MediaError(.noPermission, path, "let this user read it")
        }
        var allocated = avformat_alloc_context()
        allocated!.pointee.interrupt_callback = deadline.interruptCallback
        if let remote {
            allocated!.pointee.pb = remote.context
            allocated!.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
        }
        var options = LibavOptions()
        // Only the file itself may be opened: no format below opens further files unasked, and a file from a server must open none at all.
        let (url, protocols) = location.libavURL
        options.set("protocol_whitelist", remote == nil ? protocols : "none")
        options.set("format_whitelist", formats)
        // An MP4 file is recognised by its first bytes: finding the format by trial of all formats takes libav nearly as long as reading
        // the header.
        let format = remote == nil && beginsLikeMP4(location) ? av_find_input_format("mov") : nil
        // On failure libav frees the context.
        let code = avformat_open_input(&allocated, remote == nil ? url : location.file, format, &options.pointer)
        if let failure = remote?.failure {
            avformat_close_input(&allocated)
            throw failure
        }
        if code < 0 && deadline.isOver { throw MediaError(.timedOut, path, "opening the file") }
        try check(code, .cannotOpen, path, "opening the file")
        var demuxer = Demuxer(location: location, context: allocated!, deadline: deadline, remote: remote)
        try demuxer.chooseStream()
        return demuxer
    }

    private init(location: MediaLocation, context: UnsafeMutablePointer<AVFormatContext>, deadline: Deadline, remote: RemoteFile?) {
        self.location = location
        self.context = context
        self.deadline = deadline
        self.remote = remote
    }

    private mutating func chooseStream() throws(MediaError) {
        if !hasCompleteHeader {
            let code = probe()
            if let failure = remote?.failure { throw failure }
            try check(code, .cannotOpen, path, "probing the streams")
        }
        if deadline.isOver { throw MediaError(.timedOut, path, "probing the streams") }
        let index = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, nil, 0)
        guard index >= 0 else { throw MediaError(.noVideoStream, path, "the file opens but holds no video") }
        streamIndex = index
        for other in 0..<Int32(context.pointee.nb_streams) where other != index {
            context.pointee.streams[Int(other)]!.pointee.discard = AVDISCARD_ALL
        }
    }

    /// Reads and decodes until the streams' parameters are known. The limit of pixels holds here too.
    private func probe() -> Int32 {
        var options = [OpaquePointer?](repeating: nil, count: Int(context.pointee.nb_streams))
        defer { for index in options.indices { av_dict_free(&options[index]) } }
        for index in options.indices {
            let code = av_dict_set_int(&options[index], "max_pixels", MediaLimits.maximumPixels, 0)
            guard code >= 0 else { return code }
        }
        return avformat_find_stream_info(context, &options)
    }

    /// Whether the header alone tells all that a decoder needs, so that probing, which reads and decodes the first pictures, adds nothing.
    ///
    /// True for one H.264 stream in an MP4 with a full index, which gives the reorder depth, and in Matroska, where the decoder then has to
    /// assume the largest depth: see ``assumesReordering``.
    private var hasCompleteHeader: Bool {
        let videos = (0..<Int(context.pointee.nb_streams)).map { context.pointee.streams[$0]! }
            .filter { $0.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_VIDEO }
        guard videos.count == 1, let parameters = videos[0].pointee.codecpar?.pointee else { return false }
        return parameters.codec_id == AV_CODEC_ID_H264 && parameters.extradata_size > 0 && parameters.width > 0 && parameters.height > 0
            && (isMatroska || isMP4 && avformat_index_get_entries_count(videos[0]) > 0)
    }

    private var format: String { String(cString: context.pointee.iformat.pointee.name) }

    /// Whether the container itself divides the stream into frames, so that no parser is needed.
    var storesWholeFrames: Bool { ["mov", "matroska", "flv"].contains { format.hasPrefix($0) } }

    /// Whether it is unknown how far pictures are reordered, so that the decoder must hold back as many as the level allows.
    ///
    /// That costs time only where the decoder is not drained after the last picture wanted.
    var assumesReordering: Bool { isMatroska && hasCompleteHeader }

    private var isMP4: Bool { format.hasPrefix("mov") }
    private var isMatroska: Bool { format.hasPrefix("matroska") }

    var stream: UnsafeMutablePointer<AVStream> { context.pointee.streams[Int(streamIndex)]! }

    /// Reads the chosen stream's next packet; nil at the end, and where the rest of the file cannot be read.
    func read(into packet: borrowing Packet) throws(MediaError) -> PacketInfo? {
        while true {
            av_packet_unref(packet.pointer)
            if deadline.isOver { throw MediaError(.timedOut, path, "reading the file") }
            let code = av_read_frame(context, packet.pointer)
            if let failure = remote?.failure { throw failure }
            if code == wouldBlock { continue }
            guard code >= 0 else { return nil }
            guard packet.pointer.pointee.stream_index == streamIndex else { continue }
            let (pts, dts) = (packet.pointer.pointee.pts, packet.pointer.pointee.dts)
            let time = pts != noTimestamp ? pts : dts != noTimestamp ? dts : nil
            let flags = packet.pointer.pointee.flags
            return PacketInfo(time: time, isKey: flags & AV_PKT_FLAG_KEY != 0, isHidden: flags & AV_PKT_FLAG_DISCARD != 0)
        }
    }

    /// Seeks to the last key frame at or before a time, as far as the container knows; returns whether that succeeded.
    func seek(to time: Int64) -> Bool {
        av_seek_frame(context, streamIndex, time, AVSEEK_FLAG_BACKWARD) >= 0
    }

    deinit {
        var owned: UnsafeMutablePointer<AVFormatContext>? = context
        avformat_close_input(&owned)
    }
}
