import Compute
import ComputeCPU
import Foundation
import Media
import Pictures
import Propagation
import TestSupport
import Testing

/// Against CropMAE's own functions on synthetic features (`golden/propagation`): 14 frames of 6 x 9 cells, 16 numbers each.
struct LabelPropagatorTests {
    private static let folder = Shared.folder.map { $0 + "/golden/propagation" }
    private static let frames = 14
    private static let (height, width, dimension) = (6, 9, 16)

    private static func floats(_ name: String) throws -> [Float] {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder! + "/" + name))
        return data.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
            }
        }
    }

    private static func settings(topK: Int, queue: Int, radius: Double, temperature: Double) -> PropagationSettings {
        var settings = PropagationSettings()
        settings.topK = topK
        settings.queue = queue
        settings.radius = radius
        settings.temperature = temperature
        return settings
    }

    @Test(
        .enabled(if: folder != nil, "TANDEM_SHARED is not there"),
        arguments: [
            (3, settings(topK: 5, queue: 4, radius: 3, temperature: 0.07)),
            (4, settings(topK: 7, queue: 6, radius: 20, temperature: 0.7)),
        ])
    func labelsEqualCropMAEs(_ run: Int, _ settings: PropagationSettings) throws {
        let backend = try CPUBackend(threads: 2)
        let numbers = try Self.floats("features_f32.bin")
        let golden = try Self.floats("videowalk_run\(run)_soft_f32.bin")
        let cells = Self.height * Self.width
        func features(_ frame: Int) -> Tensor {
            let memory = DeviceMemory(count: cells * Self.dimension, backend: backend)
            let tensor = Tensor(shape: [cells, Self.dimension], pointer: memory.pointer, owner: memory)
            backend.upload(tensor, from: Array(numbers[frame * tensor.count..<(frame + 1) * tensor.count]))
            return tensor
        }

        let image = try readIndexImage(Self.folder! + "/label0.png")
        let (inputHeight, inputWidth) = (Self.height * 16, Self.width * 16)
        let mask = LabelMap(width: image.width, height: image.height, labels: image.indices)
            .resized(width: inputWidth, height: inputHeight)
        let objects = Set(mask.labels).sorted()
        var soft = SoftLabels(oneHot: mask, objects: objects, height: Self.height, width: Self.width)
        #expect(soft.values == (try Self.floats("videowalk_label0_f32.bin")))

        let propagator = LabelPropagator(settings, features: features(0), labels: soft, backend: backend)
        for frame in 0..<Self.frames {
            if frame > 0 { soft = propagator.next(features: features(frame)) }
            let expected = golden[frame * soft.values.count..<(frame + 1) * soft.values.count]
            let difference = zip(soft.values, expected).map { abs($0 - $1) }.max()!
            #expect(difference <= 1e-5, "soft labels of frame \(frame)")
            let name = String(format: "videowalk_run%d/%05d.png", run, frame)
            let expectedMask = try readIndexImage(Self.folder! + "/" + name)
            #expect(
                soft.mask(height: inputHeight, width: inputWidth, objects: objects).labels == expectedMask.indices, "mask of frame \(frame)"
            )
        }
    }

    /// Features that say exactly where each cell came from: the labels move with them.
    @Test func labelsFollowAMovingPattern() throws {
        let backend = try CPUBackend(threads: 1)
        let (height, width) = (4, 6)
        let cells = height * width
        /// Cell (y, x) of the frame shows what stood at (y, x - shift) at first: one-hot features.
        func features(shiftedBy shift: Int) -> Tensor {
            let memory = DeviceMemory(count: cells * cells, backend: backend)
            let tensor = Tensor(shape: [cells, cells], pointer: memory.pointer, owner: memory)
            var host = [Float](repeating: 0, count: cells * cells)
            for y in 0..<height {
                for x in 0..<width { host[(y * width + x) * cells + y * width + (x - shift + width) % width] = 3 }
            }
            backend.upload(tensor, from: host)
            return tensor
        }
        var first = [UInt8](repeating: 0, count: cells)
        first[width + 1] = 4
        let map = LabelMap(width: width, height: height, labels: first)
        let propagator = LabelPropagator(
            Self.settings(topK: 1, queue: 2, radius: 2, temperature: 1), features: features(shiftedBy: 0),
            labels: SoftLabels(oneHot: map, objects: [0, 4], height: height, width: width), backend: backend)
        for shift in 1..<5 {
            let mask = propagator.next(features: features(shiftedBy: shift)).mask(height: height, width: width, objects: [0, 4])
            #expect(mask.labels.firstIndex(of: 4) == width + 1 + shift && mask.labels.count { $0 == 4 } == 1, "shift \(shift)")
        }
    }

    /// More places than context cells: the weights of those that exist add up to one.
    @Test func topKMayExceedTheContext() throws {
        let backend = try CPUBackend(threads: 1)
        let memory = DeviceMemory(count: 2, backend: backend)
        let tensor = Tensor(shape: [2, 1], pointer: memory.pointer, owner: memory)
        backend.upload(tensor, from: [1, 1])
        let labels = SoftLabels(height: 1, width: 2, channels: 2, values: [1, 0, 0, 1])
        let propagator = LabelPropagator(
            Self.settings(topK: 50, queue: 1, radius: 1, temperature: 1), features: tensor, labels: labels, backend: backend)
        // Each cell sees both cells of the first frame, and its own place in the copy of it.
        let found = propagator.next(features: tensor)
        #expect(zip(found.values, [2.0 / 3, 1.0 / 3, 1.0 / 3, 2.0 / 3] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
    }
}
