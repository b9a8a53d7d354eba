import Compute
import Foundation
import Media
import Pictures
import Propagation
import TestBackends
import TestSupport
import Testing

/// Against DINO's and CropMAE's own functions on synthetic features (`golden/propagation`): 14 frames of 6 x 9 cells, 16 numbers each.
struct LabelPropagatorTests {
    private static let folder = Shared.folder.map { $0 + "/golden/propagation" }
    private static let frames = 14
    private static let grid = InputGrid(inputHeight: 6 * 16, inputWidth: 9 * 16, patchSize: 16)
    private static let cells = 6 * 9
    private static let dimension = 16

    private static func floats(_ name: String) throws -> [Float] {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder! + "/" + name))
        return data.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
            }
        }
    }

    private static func settings(
        _ family: PropagationFamily = .videowalk, topK: Int, queue: Int, radius: Double, temperature: Double
    ) -> PropagationSettings {
        var settings = PropagationSettings()
        settings.family = family
        settings.topK = topK
        settings.queue = queue
        settings.radius = radius
        settings.temperature = temperature
        return settings
    }

    /// Calls `body` with the labels of every frame as a run of the golden values has them, and the mask's objects.
    private static func propagate(
        _ settings: PropagationSettings, _ backend: TestBackend,
        _ body: (_ frame: Int, _ labels: SoftLabels, _ objects: [UInt8]) throws -> Void
    ) throws {
        let backend = try backend.open()
        let numbers = try floats("features_f32.bin")
        func features(_ frame: Int) -> Tensor {
            backend.tensor(Array(numbers[frame * cells * dimension..<(frame + 1) * cells * dimension]), [cells, dimension])
        }
        let (first, objects) = settings.family.firstLabels(try mask("label0.png"), grid: grid)
        let propagator = LabelPropagator(settings, features: features(0), labels: first, backend: backend)
        try body(0, first, objects)
        for frame in 1..<frames { try body(frame, propagator.next(features: features(frame)), objects) }
    }

    private static func mask(_ name: String) throws -> LabelMap {
        let image = try readIndexImage(folder! + "/" + name)
        return LabelMap(width: image.width, height: image.height, labels: image.indices)
    }

    @Test(
        .enabled(if: folder != nil, "TANDEM_SHARED is not there"),
        arguments: [
            (3, settings(topK: 5, queue: 4, radius: 3, temperature: 0.07)),
            (4, settings(topK: 7, queue: 6, radius: 20, temperature: 0.7)),
        ], TestBackend.devices)
    func labelsEqualCropMAEs(_ golden: (run: Int, settings: PropagationSettings), backend: TestBackend) throws {
        let (run, settings) = golden
        let golden = try Self.floats("videowalk_run\(run)_soft_f32.bin")
        try Self.propagate(settings, backend) { frame, soft, objects in
            if frame == 0 { #expect(soft.values == (try Self.floats("videowalk_label0_f32.bin"))) }
            let expected = golden[frame * soft.values.count..<(frame + 1) * soft.values.count]
            let difference = zip(soft.values, expected).map { abs($0 - $1) }.max()!
            #expect(difference <= 1e-5, "soft labels of frame \(frame)")
            let expectedMask = try Self.mask(String(format: "videowalk_run%d/%05d.png", run, frame))
            let mask = settings.family.mask(soft, objects: objects, grid: Self.grid, width: 9 * 16, height: 6 * 16)
            #expect(mask == expectedMask, "mask of frame \(frame)")
        }
    }

    /// The three runs differ in the neighbourhood: 2 cells, none, and more than the grid has.
    @Test(
        .enabled(if: folder != nil, "TANDEM_SHARED is not there"),
        arguments: [
            (0, settings(.dino, topK: 5, queue: 4, radius: 2, temperature: 0.1)),
            (1, settings(.dino, topK: 7, queue: 7, radius: 0, temperature: 0.1)),
            (2, settings(.dino, topK: 3, queue: 20, radius: 12, temperature: 0.1)),
        ], TestBackend.devices)
    func labelsEqualDINOs(_ golden: (run: Int, settings: PropagationSettings), backend: TestBackend) throws {
        let (run, settings) = golden
        let golden = try Self.floats("dino_run\(run)_soft_f32.bin")
        try Self.propagate(settings, backend) { frame, soft, objects in
            #expect(objects == [0, 1, 2])
            guard frame > 0 else {
                // "first_small" of the manifest: two upright rectangles.
                let rows: [[Float]] = [
                    [0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 2, 2, 2, 0],
                    [0, 0, 0, 0, 0, 2, 2, 2, 0], [0, 0, 0, 0, 0, 2, 2, 2, 0],
                ]
                let expected: [Float] = rows.joined().flatMap { label -> [Float] in [0, 1, 2].map { $0 == label ? 1 : 0 } }
                #expect(soft.values == expected)
                return
            }
            // Planes one behind the other, where ours are interleaved; the first frame's are left out.
            let first = (frame - 1) * soft.values.count
            let planes: [Float] = soft.values.indices.map { golden[first + $0 % 3 * Self.cells + $0 / 3] }
            let difference = zip(soft.values, planes).map { abs($0 - $1) }.max()!
            #expect(difference <= 1e-5, "soft labels of frame \(frame)")
            let expectedMask = try Self.mask(String(format: "dino_run%d/%05d.png", run, frame))
            let mask = settings.family.mask(soft, objects: objects, grid: Self.grid, width: 151, height: 100)
            #expect(mask == expectedMask, "mask of frame \(frame)")
        }
    }

    /// Features that say exactly where each cell came from: the labels move with them.
    @Test(arguments: TestBackend.devices) func labelsFollowAMovingPattern(backend: TestBackend) throws {
        let backend = try backend.open()
        let (height, width) = (4, 6)
        let cells = height * width
        /// Cell (y, x) of the frame shows what stood at (y, x - shift) at first: one-hot features.
        func features(shiftedBy shift: Int) -> Tensor {
            var host = [Float](repeating: 0, count: cells * cells)
            for y in 0..<height {
                for x in 0..<width { host[(y * width + x) * cells + y * width + (x - shift + width) % width] = 3 }
            }
            return backend.tensor(host, [cells, cells])
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
    @Test(arguments: TestBackend.devices) func topKMayExceedTheContext(backend: TestBackend) throws {
        let backend = try backend.open()
        let tensor = backend.tensor([1, 1], [2, 1])
        let labels = SoftLabels(height: 1, width: 2, channels: 2, values: [1, 0, 0, 1])
        let propagator = LabelPropagator(
            Self.settings(topK: 50, queue: 1, radius: 1, temperature: 1), features: tensor, labels: labels, backend: backend)
        // Each cell sees both cells of the first frame, and its own place in the copy of it.
        let found = propagator.next(features: tensor)
        #expect(zip(found.values, [2.0 / 3, 1.0 / 3, 1.0 / 3, 2.0 / 3] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    /// DINO's queue starts empty, so that a cell of the first frame has one vote; videowalk's is full of copies.
    @Test(arguments: TestBackend.devices) func theQueueStartsEmptyOrFullOfCopies(backend: TestBackend) throws {
        let backend = try backend.open()
        let features = backend.tensor([1, 0, 0, 1], [2, 2])
        let labels = SoftLabels(height: 1, width: 2, channels: 2, values: [1, 0, 0, 1])
        func first(_ family: PropagationFamily, topK: Int) -> [Float] {
            LabelPropagator(
                Self.settings(family, topK: topK, queue: 3, radius: 5, temperature: 1), features: features, labels: labels,
                backend: backend
            ).next(features: features).values
        }
        // The best four are the cell itself, once in each of four copies; or it and the other one, weighted e : 1.
        #expect(zip(first(.videowalk, topK: 4), [1, 0, 0, 1] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
        let (own, other) = (Float(M_E / (M_E + 1)), Float(1 / (M_E + 1)))
        #expect(zip(first(.dino, topK: 4), [own, other, other, own]).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    /// In DINO's family the first frame is seen within the neighbourhood only, in videowalk's everywhere.
    @Test(arguments: TestBackend.devices) func theNeighbourhoodOfTheFirstFrame(backend: TestBackend) throws {
        let backend = try backend.open()
        // What stood at the left end is at the right end in the next frame.
        let (before, after) = (
            backend.tensor([1, 0, 0, 1, 0, 1, 0, 1], [4, 2]), backend.tensor([0, 1, 0, 1, 0, 1, 1, 0], [4, 2])
        )
        let labels = SoftLabels(height: 1, width: 4, channels: 2, values: [0, 1, 1, 0, 1, 0, 1, 0])
        func rightEnd(_ family: PropagationFamily, radius: Double) -> Float {
            LabelPropagator(
                Self.settings(family, topK: 1, queue: 1, radius: radius, temperature: 1), features: before, labels: labels,
                backend: backend
            ).next(features: after).values[7]
        }
        #expect(rightEnd(.videowalk, radius: 2) == 1)
        #expect(rightEnd(.dino, radius: 2) == 0)
        #expect(rightEnd(.dino, radius: 3) == 1)
        #expect(rightEnd(.dino, radius: 0) == 1)
    }

    /// DINO cuts by value: all that equal the k-th have a vote.
    @Test(arguments: TestBackend.devices) func equalsVoteInDINOsFamily(backend: TestBackend) throws {
        let backend = try backend.open()
        let features = backend.tensor([1, 1, 1], [3, 1])
        let labels = SoftLabels(height: 1, width: 3, channels: 3, values: [1, 0, 0, 0, 1, 0, 0, 0, 1])
        let found = LabelPropagator(
            Self.settings(.dino, topK: 1, queue: 1, radius: 0, temperature: 1), features: features, labels: labels, backend: backend
        ).next(features: features)
        #expect(found.values.allSatisfy { abs($0 - 1.0 / 3) < 1e-6 })
    }
}
