import CFFmpeg

// One owner for each libav object, so that an initialiser that fails after creating one leaks nothing. Running out of memory for these
// small objects is an error that no caller can handle, so it traps.

/// A frame: a decoded picture, or one to be encoded, in the pixel format of its stream.
public struct Frame: ~Copyable {
    let pointer: UnsafeMutablePointer<AVFrame>

    init() { pointer = av_frame_alloc()! }

    /// A frame with planes of its own.
    init(width: Int, height: Int, format: AVPixelFormat) {
        self.init()
        pointer.pointee.width = Int32(width)
        pointer.pointee.height = Int32(height)
        pointer.pointee.format = format.rawValue
        precondition(av_frame_get_buffer(pointer, 0) >= 0, "no memory for a frame of \(width)x\(height)")
    }

    deinit {
        var owned: UnsafeMutablePointer<AVFrame>? = pointer
        av_frame_free(&owned)
    }
}

/// A packet: one coded picture.
struct Packet: ~Copyable {
    let pointer: UnsafeMutablePointer<AVPacket>

    init() { pointer = av_packet_alloc()! }

    deinit {
        var owned: UnsafeMutablePointer<AVPacket>? = pointer
        av_packet_free(&owned)
    }
}

/// A decoder or an encoder.
struct CodecContext: ~Copyable {
    let pointer: UnsafeMutablePointer<AVCodecContext>

    init(_ codec: UnsafePointer<AVCodec>) { pointer = avcodec_alloc_context3(codec)! }

    deinit {
        var owned: UnsafeMutablePointer<AVCodecContext>? = pointer
        avcodec_free_context(&owned)
    }
}

/// Options for a call of libav's.
struct LibavOptions: ~Copyable {
    /// Those that the call does not know are left in it.
    var pointer: OpaquePointer?

    mutating func set(_ name: String, _ value: String) {
        precondition(av_dict_set(&pointer, name, value, 0) >= 0, "no memory for the option \(name)")
    }

    mutating func set(_ name: String, _ value: Int64) {
        precondition(av_dict_set_int(&pointer, name, value, 0) >= 0, "no memory for the option \(name)")
    }

    deinit {
        var owned = pointer
        av_dict_free(&owned)
    }
}

/// Up to four planes of pixels and the bytes between their rows, as libav passes them.
struct Planes {
    var data: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?)
    var strides: (Int32, Int32, Int32, Int32)

    init(_ frame: borrowing Frame) {
        let (data, strides) = (frame.pointer.pointee.data, frame.pointer.pointee.linesize)
        self.data = (data.0, data.1, data.2, data.3)
        self.strides = (strides.0, strides.1, strides.2, strides.3)
    }

    /// One plane of packed pixels.
    init(packed: UnsafeMutablePointer<UInt8>, stride: Int) {
        data = (packed, nil, nil, nil)
        strides = (Int32(stride), 0, 0, 0)
    }

    // libav takes a pointer to the first plane's address and one to the first stride.

    static func data(_ planes: UnsafePointer<Planes>) -> UnsafePointer<UnsafePointer<UInt8>?> {
        (UnsafeRawPointer(planes) + MemoryLayout<Planes>.offset(of: \.data)!).assumingMemoryBound(to: UnsafePointer<UInt8>?.self)
    }

    static func mutableData(_ planes: UnsafePointer<Planes>) -> UnsafePointer<UnsafeMutablePointer<UInt8>?> {
        (UnsafeRawPointer(planes) + MemoryLayout<Planes>.offset(of: \.data)!).assumingMemoryBound(to: UnsafeMutablePointer<UInt8>?.self)
    }

    static func strides(_ planes: UnsafePointer<Planes>) -> UnsafePointer<Int32> {
        (UnsafeRawPointer(planes) + MemoryLayout<Planes>.offset(of: \.strides)!).assumingMemoryBound(to: Int32.self)
    }
}
