import CFFmpeg
import Glibc

/// Compares the pictures that a decoder makes of an encoder's packets with those that went into the encoder.
final class QualityMeter {
    private let path: String
    private let decoder: CodecContext
    private let decoded = Frame()
    /// Pictures that the decoder has not returned yet, in presentation order.
    private var waiting: [Picture] = []
    private var squaredErrors = 0
    private var samples = 0

    /// A frame of 8-bit planes that can stand in a list.
    final class Picture {
        let frame: Frame
        init(width: Int, height: Int) { frame = Frame(width: width, height: height, format: AV_PIX_FMT_YUV420P) }
    }

    /// - Parameter path: the file that the packets go into, for errors.
    init(_ encoder: borrowing CodecContext, path: String) throws(MediaError) {
        self.path = path
        let codec = avcodec_find_decoder(encoder.pointer.pointee.codec_id)!
        decoder = CodecContext(codec)
        var parameters = avcodec_parameters_alloc()
        defer { avcodec_parameters_free(&parameters) }
        try check(avcodec_parameters_from_context(parameters, encoder.pointer), .cannotEncode, path, "describing the stream")
        try check(avcodec_parameters_to_context(decoder.pointer, parameters), .cannotEncode, path, "describing the stream")
        decoder.pointer.pointee.thread_count = 1
        try check(avcodec_open2(decoder.pointer, codec, nil), .cannotEncode, path, "opening a decoder to measure with")
    }

    /// A picture was sent to the encoder.
    func expect(_ picture: Picture) { waiting.append(picture) }

    /// The encoder returned a packet.
    func measure(_ packet: borrowing Packet) throws(MediaError) { try decode(packet.pointer) }

    /// Ratio of the peak signal to all errors so far, over all samples of all planes, in dB; 100 at most.
    ///
    /// - Throws: where a picture did not come back.
    func finish() throws(MediaError) -> Double {
        try decode(nil)
        guard waiting.isEmpty else { throw MediaError(.cannotEncode, path, "\(waiting.count) encoded pictures do not decode") }
        return min(100, 10 * log10(255 * 255 * Double(samples) / Double(squaredErrors)))
    }

    private func decode(_ packet: UnsafeMutablePointer<AVPacket>?) throws(MediaError) {
        try check(avcodec_send_packet(decoder.pointer, packet), .cannotEncode, path, "decoding what was encoded")
        while true {
            let code = avcodec_receive_frame(decoder.pointer, decoded.pointer)
            if code == wouldBlock || code == endOfFile { return }
            try check(code, .cannotEncode, path, "decoding what was encoded")
            guard let picture = waiting.first, picture.frame.time == decoded.time else {
                throw MediaError(.cannotEncode, path, "an encoded picture decodes with another time")
            }
            waiting.removeFirst()
            add(Planes(picture.frame), Planes(decoded), width: decoded.width, height: decoded.height)
        }
    }

    private func add(_ a: Planes, _ b: Planes, width: Int, height: Int) {
        let (chromaWidth, chromaHeight) = ((width + 1) / 2, (height + 1) / 2)
        squaredErrors += squaredDistance((a.data.0!, a.strides.0), (b.data.0!, b.strides.0), width: width, height: height)
        squaredErrors += squaredDistance((a.data.1!, a.strides.1), (b.data.1!, b.strides.1), width: chromaWidth, height: chromaHeight)
        squaredErrors += squaredDistance((a.data.2!, a.strides.2), (b.data.2!, b.strides.2), width: chromaWidth, height: chromaHeight)
        samples += width * height + 2 * chromaWidth * chromaHeight
    }
}

/// The sum of squared differences of two planes of bytes.
private func squaredDistance(
    _ a: (data: UnsafeMutablePointer<UInt8>, stride: Int32), _ b: (data: UnsafeMutablePointer<UInt8>, stride: Int32), width: Int,
    height: Int
) -> Int {
    var sum = 0
    for y in 0..<height {
        let (rowA, rowB) = (a.data + y * Int(a.stride), b.data + y * Int(b.stride))
        var rowSum: UInt32 = 0  // 65,535 pixels fit
        for x in 0..<width {
            let difference = Int32(rowA[x]) - Int32(rowB[x])
            rowSum &+= UInt32(bitPattern: difference &* difference)
        }
        sum += Int(rowSum)
    }
    return sum
}
