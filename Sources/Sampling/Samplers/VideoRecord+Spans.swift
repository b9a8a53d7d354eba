extension VideoRecord {
    /// Frames of `frames · stride / 30` seconds at the video's mean rate, of which there may be a fraction.
    func spanLength(frames: Int, stride: Int) -> Double {
        let duration = seconds(ofFrame: frameCount - 1)
        return duration > 0 ? Double(frames * stride) / 30 * Double(frameCount - 1) / duration : 0
    }

    /// Frames of a random span of real time, evenly spaced from its first to its last: so many that each stands for `stride` thirtieths of a
    /// second.
    ///
    /// The span is counted in frames of the video's mean rate, see ``spanLength(frames:stride:)``, and starts anywhere, between frames too,
    /// where it fits; a longer one starts with the video, and what lies beyond the end shows the last frame. A span that touches a damaged frame
    /// is drawn again, ``Timeline/maximumDraws`` times at most; of the last draw each damaged frame gives way to the nearest intact one.
    ///
    /// Source: facebookresearch/mae_st util/decoder/decoder.py, `get_start_end_idx` and `temporal_sampling`.
    func drawSpan(frames: Int, stride: Int, from stream: inout RandomStream) -> [Int] {
        let span = spanLength(frames: frames, stride: stride)
        let step = frames > 1 ? (span - 1) / Double(frames - 1) : 0
        var numbers: [Int] = []
        for _ in 0..<Timeline.maximumDraws {
            let start = stream.uniform01() * max(0, Double(frameCount) - span)
            numbers = (0..<frames).map { Int(max(0, min(start + Double($0) * step, Double(frameCount - 1)))) }
            if numbers.allSatisfy({ !isDamaged($0) }) { return numbers }
        }
        return numbers.map(intactFrame)
    }
}
