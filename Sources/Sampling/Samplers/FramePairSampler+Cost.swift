extension VideoRecord {
    /// Frames that must be decoded for a pair, on average: both of its frames, and those between each and the key frame that it hangs on.
    ///
    /// Exact for pairs drawn as `Timeline.drawFrames` draws them from an undamaged video, each read by itself. Decoders that may
    /// pass over pictures that no other refers to do better.
    ///
    /// - Parameters:
    ///   - gap: ticks between the two frames.
    ///   - rate: ticks a second.
    public func framesPerPair(gap: ClosedRange<Int>, rate: Int) -> Double {
        let timeline = Timeline(of: self, rate: rate)
        let frames = (0..<timeline.count).map { timeline.frame(nearest: $0) }
        // The key frame that each frame hangs on; a video may begin with frames that hang on none.
        var keys = [Int](repeating: 0, count: frameCount)
        for (key, next) in zip(keyFrames, keyFrames.dropFirst() + [frameCount]) {
            for frame in key..<next { keys[frame] = key }
        }
        var sum = 0.0
        for drawn in gap {
            let ticks = min(drawn, max(1, timeline.count - 1))
            let starts = max(1, timeline.count - ticks)
            var decoded = 0
            for start in 0..<starts {
                var (past, future) = (frames[start], frames[min(start + ticks, frames.count - 1)])
                if past == future { if future + 1 < frameCount { future += 1 } else { past -= 1 } }
                decoded += past - keys[past] + 1 + (keys[future] > past ? future - keys[future] + 1 : future - past)
            }
            sum += Double(decoded) / Double(starts)
        }
        return sum / Double(gap.count)
    }
}
