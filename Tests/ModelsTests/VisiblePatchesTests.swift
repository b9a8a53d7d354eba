import Autograd
import Compute
import Models
import TestBackends
import Testing

/// A frame of which nothing is visible, or nothing is hidden, is a bug of the caller: it ends the program before anything is computed.
@Suite struct VisiblePatchesTests {
    @Test func aFutureFrameOfWhichNothingIsVisibleIsRefused() async {
        await #expect(processExitsWith: .failure) { _ = VisiblePatches(future: [[1], []]) }
        #expect(VisiblePatches(future: [[1], [0, 2]]).count == 2)
    }

    @Test func aPastFrameOfWhichNothingIsVisibleIsRefused() async {
        await #expect(processExitsWith: .failure) { _ = VisiblePatches(future: [[1], [2]], past: [[], [1]]) }
        #expect(VisiblePatches(future: [[1], [2]], past: [[0], [1]]).count == 2)
    }

    @Test(arguments: [0, 1] as [UInt8], TestBackend.devices)
    func masksThatHideAllOrNothingAreRefused(mask: UInt8, backend: TestBackend) async {
        await #expect(processExitsWith: .failure) { [mask, backend] in try step(mask: mask, others: 0, backend) }
        await #expect(processExitsWith: .success) { [mask, backend] in try step(mask: mask, others: 1, backend) }
    }

    @Test func aSequenceWithoutTokensIsRefused() async {
        await #expect(processExitsWith: .failure) { _ = SequenceLayout(lengths: [3, 0]) }
    }
}

/// A step with a mask of nine patches that has the same value everywhere but in its first `others` places.
private func step(mask value: UInt8, others: Int, _ backend: TestBackend) throws {
    let backend = try backend.open(threads: 1)
    let model = SiamMAE(SiamMAETests.configuration, seed: 1, backend: backend)
    let frames = [UInt8](repeating: 100, count: 2 * 24 * 24 * 3)
    let mask = (0..<9).map { $0 < others ? 1 - value : value }
    frames.withUnsafeBufferPointer { frames in
        mask.withUnsafeBufferPointer { mask in
            let pair = FramePair(frames: frames.baseAddress!, mask: mask.baseAddress!)
            model.accumulateGradients(
                [pair], addingTo: backend.array(of: Double.self, count: 1), arena: Arena(backend: backend))
        }
    }
}
