import Compute
import Pictures
import Propagation
import TestBackends
import Testing

/// What an encoder of clips is given for each frame.
@Suite struct FrameClipsTests {
    /// Frames of one grey each; the frame in question stands at place `clip / 2`, and the ends are repeated.
    @Test(arguments: [
        (1, [[0], [1], [2], [3], [4]]), (2, [[0, 0], [0, 1], [1, 2], [2, 3], [3, 4]]),
        (4, [[0, 0, 0, 1], [0, 0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 4]]),
        (12, (0..<5).map { frame in (0..<12).map { max(0, min(frame - 6 + $0, 4)) } }),
    ]) func clipsSlideOverTheVideo(length: Int, expected: [[Int]]) throws {
        let backend = try TestBackend.cpu.open(threads: 1)
        var settings = PropagationSettings()
        (settings.inputSize, settings.clip) = (.exact(height: 4, width: 4), length)
        var (seen, read): ([[Int]], [Int]) = ([], [])
        let propagation = VideoPropagation(settings, patchSize: 2, .slowFast, backend: backend) { clip in
            let numbers = backend.download(clip)
            #expect(clip.shape == [length, 3, 4, 4])
            seen.append((0..<length).map { Int(((numbers[$0 * 48] * 0.225 + 0.45) * 255).rounded()) })
            let features = backend.tensor([1, 4, 3])
            backend.fill(features, 1)
            return features
        }
        try propagation.masks(frameCount: 5, firstMask: LabelMap(width: 4, height: 4, labels: Array(repeating: 0, count: 16))) { frame in
            read.append(frame)
            return RGBImage(width: 4, height: 4, pixels: Array(repeating: UInt8(frame), count: 48))
        } _: { _, _ in
        }
        #expect(seen == expected && read == [0, 1, 2, 3, 4])
    }
}
