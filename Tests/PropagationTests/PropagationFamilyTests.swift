import Base
import Compute
import Pictures
import Propagation
import TestBackends
import Testing

struct PropagationFamilyTests {
    /// cv2.resize(…, (5, 3)) of a picture of 3 x 2 pixels, rounded to bytes in two steps, and DINO's deviation of red.
    @Test func bytesAreScaledAsDINODoes() {
        let frame = RGBImage(width: 3, height: 2, pixels: [10, 200, 7, 255, 3, 90, 0, 77, 128, 99, 31, 250, 18, 160, 4, 201, 55, 66])
        let expected: [[Float]] = [
            [10, 108, 255, 102, 0, 55, 87, 137, 115, 101, 99, 67, 18, 128, 201],
            [200, 121, 3, 47, 77, 116, 102, 82, 72, 66, 31, 83, 160, 97, 55],
            [7, 40, 90, 113, 128, 129, 96, 47, 77, 97, 250, 151, 4, 41, 66],
        ]
        let (mean, deviation): ([Float], [Float]) = ([0.485, 0.456, 0.406], [0.228, 0.224, 0.225])
        let planes = frame.normalized(height: 3, width: 5, family: .dino)
        for channel in 0..<3 {
            for (found, byte) in zip(planes[channel * 15..<(channel + 1) * 15], expected[channel]) {
                #expect(abs(found - (byte / 255 - mean[channel]) / deviation[channel]) < 1e-5, "channel \(channel)")
            }
        }
        // Videowalk's floats keep what lies between 10 and 99.
        let between = frame.normalized(height: 3, width: 5)[5]
        #expect(abs(between - (54.5 / 255 - 0.485) / 0.229) < 1e-5)
    }

    /// Of 16 x 8 pixels DINO's grid of 4 x 2 cells reads not the first one; videowalk's channels include every object.
    @Test func smallObjectsVanishInDINOsGrid() {
        var labels = [UInt8](repeating: 0, count: 16 * 8)
        for y in 0..<8 { for x in 0..<4 { labels[y * 16 + x] = 2 } }
        labels[0] = 5
        let map = LabelMap(width: 16, height: 8, labels: labels)
        let grid = InputGrid(inputHeight: 32, inputWidth: 64, patchSize: 16)
        let hard = PropagationFamily.dino.firstLabels(map, grid: grid)
        #expect(hard.objects == [0, 1, 2])  // up to the largest that is left, those without a cell too
        #expect(hard.labels.values == [0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0])
        let soft = PropagationFamily.videowalk.firstLabels(map, grid: grid)
        #expect(soft.objects == [0, 2, 5])
    }

    /// Planes as PyTorch makes and stretches them: the first object is strongest everywhere, but not everywhere as strong as it can be.
    @Test func planesAreStretchedAsDINODoes() {
        let labels = SoftLabels(height: 1, width: 3, channels: 3, values: [0.6, 0.3, 0.1, 0.55, 0.25, 0.2, 0.5, 0.45, 0.05])
        let grid = InputGrid(inputHeight: 2, inputWidth: 6, patchSize: 2)
        let plain = PropagationFamily.videowalk.mask(labels, objects: [0, 4, 7], grid: grid, width: 6, height: 2)
        #expect(plain.labels == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        let stretched = PropagationFamily.dino.mask(labels, objects: [0, 4, 7], grid: grid, width: 6, height: 2)
        #expect(stretched.labels == [0, 0, 7, 7, 4, 4, 0, 0, 7, 7, 4, 4])
    }

    /// A frame without an object, and one that is an object all over: their planes are the same everywhere and cannot be stretched.
    @Test(arguments: [0, 1] as [UInt8])
    func planesWithoutContrastStayAsTheyAre(_ label: UInt8) {
        let objects = Array(0...label)
        let cell: [Float] = objects.map { object in object == label ? 1 : 0 }
        let labels = SoftLabels(height: 1, width: 1, channels: objects.count, values: cell)
        let grid = InputGrid(inputHeight: 16, inputWidth: 16, patchSize: 16)
        let mask = PropagationFamily.dino.mask(labels, objects: objects, grid: grid, width: 3, height: 2)
        #expect(mask.labels == [UInt8](repeating: label, count: 6))
    }

    /// A portrait video whose frames differ in size from its mask, with a gap in the numbers, and void: what an encoder that sees brightness
    /// makes of a lower half that stays dark.
    @Test(arguments: PropagationFamily.allCases, TestBackend.devices)
    func portraitMasksWithGapsAndVoid(_ family: PropagationFamily, backend: TestBackend) throws {
        let backend = try backend.open()
        var settings = PropagationSettings()
        settings.family = family
        settings.topK = 3
        settings.temperature = 0.1
        settings.inputSize = .exact(height: 64, width: 32)
        /// Two numbers a cell: how bright its first pixel is, and how dark.
        func encode(_ image: Tensor) -> Tensor {
            let pixels = backend.download(image)
            var host: [Float] = []
            for cell in 0..<8 {
                let first = pixels[cell / 2 * 16 * 32 + cell % 2 * 16]
                host += first > 0 ? [1, 0] : [0, 1]
            }
            return backend.tensor(host, [1, 8, 2])
        }
        let bytes = [UInt8](repeating: 255, count: 10 * 10 * 3) + [UInt8](repeating: 0, count: 10 * 10 * 3)
        var labels = [UInt8](repeating: 0, count: 16 * 8)
        for index in 64..<128 { labels[index] = 6 }
        labels[3] = 255
        let map = LabelMap(width: 8, height: 16, labels: labels)
        var masks: [LabelMap] = []
        try VideoPropagation(settings, patchSize: 16, backend: backend, encode: encode).masks(
            frameCount: 3, firstMask: map, frame: { _ in RGBImage(width: 10, height: 20, pixels: bytes) }
        ) { index, mask in
            #expect(index == masks.count)
            masks.append(mask)
        }
        #expect(masks.map(\.labels) == Array(repeating: map.withoutVoid.labels, count: 3))
        #expect(masks.allSatisfy { $0.width == 8 && $0.height == 16 })
    }

    @Test func aRadiusOfNothingIsDINOs() throws {
        var settings = PropagationSettings(.dino, for: .davis)
        settings.radius = 0
        try settings.validate()
        settings.family = .videowalk
        #expect(throws: Failure("the radius is 0.0; it must be above 0, or 0 with family dino for no limit")) {
            try settings.validate()
        }
    }
}
