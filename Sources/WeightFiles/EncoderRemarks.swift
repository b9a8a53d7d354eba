/// What no array of an encoder tells of it: strings in the metadata of Tandem's files.
public struct EncoderRemarks: Equatable, Sendable {
    /// Attention heads.
    public var heads: Int?
    /// Of an encoder of clips, the frames of those it was trained on.
    public var frames: Int?
    /// Of an encoder of clips, height and width of their frames.
    public var imageSize: Int?

    public init(heads: Int?, frames: Int? = nil, imageSize: Int? = nil) {
        (self.heads, self.frames, self.imageSize) = (heads, frames, imageSize)
    }

    /// What a file's metadata has of them.
    public init(_ metadata: [String: String]) {
        func number(_ key: String) -> Int? { metadata["tandem.encoder_" + key].flatMap { Int($0) } }
        self.init(heads: number("heads"), frames: number("frames"), imageSize: number("image_size"))
    }

    /// Those that there are, as metadata.
    public var strings: [String: String] {
        let all = ["heads": heads, "frames": frames, "image_size": imageSize]
        return Dictionary(uniqueKeysWithValues: all.compactMap { key, number in number.map { ("tandem.encoder_" + key, "\($0)") } })
    }
}
