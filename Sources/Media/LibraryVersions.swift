import CFFmpeg

/// The libav libraries in use and their versions, "libavformat 59.27.100, …".
public var libraryVersions: String {
    [
        ("libavformat", avformat_version()), ("libavcodec", avcodec_version()), ("libswscale", swscale_version()),
        ("libavutil", avutil_version()),
    ]
    .map { name, version in "\(name) \(version >> 16).\(version >> 8 & 0xFF).\(version & 0xFF)" }
    .joined(separator: ", ")
}
