import Base
import CFFmpeg

extension Frame {
    /// Width as stored, before rotation and pixel aspect.
    public var width: Int { Int(pointer.pointee.width) }

    /// Height as stored.
    public var height: Int { Int(pointer.pointee.height) }

    /// Presentation time in the stream's time base, nil where the container has none.
    public var time: Int64? { pointer.pointee.pts == noTimestamp ? nil : pointer.pointee.pts }

    /// Decoding time of the packet after which the decoder returned the frame; ascends even where packets have no presentation times.
    var decodingTime: Int64? { pointer.pointee.pkt_dts == noTimestamp ? nil : pointer.pointee.pkt_dts }

    /// Bytes of the raw planes without gaps.
    public var byteCount: Int {
        Int(av_image_get_buffer_size(AVPixelFormat(rawValue: pointer.pointee.format), pointer.pointee.width, pointer.pointee.height, 1))
    }

    /// Calls the body with the raw planes without gaps, in their order: what `ffmpeg -f rawvideo` writes.
    public func withPackedPlanes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 64) { bytes in
            let planes = Planes(self)
            let size = withUnsafePointer(to: planes) { planes in
                av_image_copy_to_buffer(
                    bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), Int32(bytes.count), Planes.data(planes), Planes.strides(planes),
                    AVPixelFormat(rawValue: pointer.pointee.format), pointer.pointee.width, pointer.pointee.height, 1)
            }
            precondition(Int(size) == bytes.count, "a frame of \(size) bytes, not \(bytes.count)")
            return body(UnsafeRawBufferPointer(bytes))
        }
    }

    /// The hash of the raw planes without gaps; with MD5 what `ffmpeg -f framemd5` prints.
    public func hexadecimalHash(_ algorithm: PixelHash.Algorithm) -> String {
        withPackedPlanes { PixelHash.hexadecimal(of: $0, algorithm) }
    }

    /// Whether the decoder had to conceal a part of the frame.
    var isDamaged: Bool { pointer.pointee.flags & Int32(AV_FRAME_FLAG_CORRUPT) != 0 || pointer.pointee.decode_error_flags != 0 }
}
