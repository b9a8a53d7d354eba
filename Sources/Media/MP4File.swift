import Base
import CFFmpeg
import Files
import Glibc
import Sampling

/// A complete MP4 file of one video stream under a temporary name; it is removed unless it is kept.
struct MP4File: ~Copyable {
    let path: String
    let temporaryPath: String
    private let context: UnsafeMutablePointer<AVFormatContext>

    /// Writes an encoder's packets.
    ///
    /// - Parameters:
    ///   - path: the name that the file is to have.
    ///   - encoder: what the packets came from.
    ///   - times: of all frames, in ticks of `timeBase`; the file's begin at 0.
    ///   - displayMatrix: as libavutil/display.h has it; empty where the pictures stand upright.
    static func write(
        path: String, _ packets: PacketSpool, of encoder: borrowing CodecContext, times: Timestamps, timeBase: Rational,
        displayMatrix: [Int32]
    ) throws(MediaError) -> MP4File {
        var allocated: UnsafeMutablePointer<AVFormatContext>?
        try Media.check(avformat_alloc_output_context2(&allocated, nil, "mp4", nil), .cannotWrite, path, "preparing MP4")
        let file = MP4File(path: path, owning: allocated!)
        let (ticks, ticksPerSecond) = times.exactTicks(timeBase)
        try file.open(encoder, ticksPerSecond: ticksPerSecond, displayMatrix)
        try file.append(packets, ticks, ticksPerSecond: ticksPerSecond)
        try file.check(av_write_trailer(file.context), "writing the index")
        try file.check(avio_closep(&file.context.pointee.pb), "closing the file")
        return file
    }

    private init(path: String, owning context: UnsafeMutablePointer<AVFormatContext>) {
        self.path = path
        // The temporary name is a hash, not the path and an ending, because the path's name may already have the greatest length.
        var name = path
        let hash = name.withUTF8 { PixelHash.hexadecimal(of: UnsafeRawBufferPointer($0)) }
        temporaryPath = folderName(of: path) + "/." + hash + ".partial"
        self.context = context
    }

    private func open(_ encoder: borrowing CodecContext, ticksPerSecond: Int32, _ displayMatrix: [Int32]) throws(MediaError) {
        context.pointee.flags |= AVFMT_FLAG_BITEXACT
        guard let stream = avformat_new_stream(context, nil) else { throw MediaError(.cannotWrite, path, "no memory for a stream") }
        stream.pointee.time_base = AVRational(num: 1, den: ticksPerSecond)
        stream.pointee.avg_frame_rate = encoder.pointer.pointee.framerate
        try check(avcodec_parameters_from_context(stream.pointee.codecpar, encoder.pointer), "describing the stream")
        if !displayMatrix.isEmpty {
            let size = displayMatrix.count * MemoryLayout<Int32>.size
            memcpy(av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, size)!, displayMatrix, size)
        }
        try Media.check(avio_open(&context.pointee.pb, "file:" + temporaryPath, AVIO_FLAG_WRITE), .cannotWrite, path, "creating the file")
        try check(avformat_write_header(context, nil), "writing the header")
    }

    private func append(_ packets: PacketSpool, _ ticks: [Int64], ticksPerSecond: Int32) throws(MediaError) {
        precondition(packets.entries.count == ticks.count, "\(packets.entries.count) packets of \(ticks.count) frames")
        // A frame must be decoded before it is shown. So presentation is delayed by the most places that any frame's packet comes later
        // than its place in presentation order.
        let delay = packets.entries.indices.map { $0 - packets.entries[$0].frame }.max() ?? 0
        var place = 0
        try packets.readAll { (entry, packet) throws(MediaError) in
            let next = min(entry.frame + 1, ticks.count - 1)
            packet.pointer.pointee.pts = ticks[entry.frame]
            packet.pointer.pointee.dts = place < delay ? ticks[place] - ticks[delay] : ticks[place - delay]
            packet.pointer.pointee.duration = next == 0 ? 1 : ticks[next] - ticks[next - 1]
            packet.pointer.pointee.flags = entry.isKey ? AV_PKT_FLAG_KEY : 0
            // The muxer chooses a multiple of the ticks a second.
            let stream = context.pointee.streams[0]!
            av_packet_rescale_ts(packet.pointer, AVRational(num: 1, den: ticksPerSecond), stream.pointee.time_base)
            try check(av_write_frame(context, packet.pointer), "writing a packet")
            place += 1
        }
    }

    /// Renames the file to its final name.
    consuming func keep() throws(MediaError) {
        guard rename(temporaryPath, path) == 0 else {
            throw MediaError(.cannotWrite, path, "renaming \(temporaryPath): \(String(cString: strerror(errno)))")
        }
    }

    /// Tells errors of the disk from those of the muxer, which refuses some input.
    private func check(_ code: Int32, _ call: String) throws(MediaError) {
        let isDisk = context.pointee.pb.map { $0.pointee.error < 0 } ?? true
        try Media.check(code, isDisk ? .cannotWrite : .cannotEncode, path, call)
    }

    // After a good keep() the temporary name is gone.
    deinit {
        avio_closep(&context.pointee.pb)
        unlink(temporaryPath)
        avformat_free_context(context)
    }
}

extension Timestamps {
    /// The times from the first frame on in ticks of the coarsest clock that shows them all exactly: MP4 has 32 bits for each step.
    fileprivate func exactTicks(_ timeBase: Rational) -> (ticks: [Int64], perSecond: Int32) {
        let step = max(1, (0..<count).reduce(0) { greatestCommonDivisor($0, self[$1] - self[0]) })
        let (numerator, denominator) = (Int64(timeBase.numerator) * step, Int64(timeBase.denominator))
        let divisor = greatestCommonDivisor(numerator, denominator)
        return ((0..<count).map { (self[$0] - self[0]) / step * (numerator / divisor) }, Int32(denominator / divisor))
    }
}

private func greatestCommonDivisor(_ a: Int64, _ b: Int64) -> Int64 { b == 0 ? a : greatestCommonDivisor(b, a % b) }
