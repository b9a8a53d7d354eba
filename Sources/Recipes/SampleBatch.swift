import Autograd
import Compute
import Sampling

/// The samples of a micro-batch on the device, by the names of their arrays.
public struct SampleBatch {
    /// The samples' numbers in the run.
    public let samples: [Int]
    private let images: [String: Tensor]
    private let visible: [String: [[Int32]]]
    private let numbers: [String: [[Float]]]

    /// Number of samples.
    public var count: Int { samples.count }

    /// Samples as they come off the wire.
    ///
    /// - Parameters:
    ///   - sampler: what they were checked to be of.
    ///   - statistics: what the pictures are normalised by.
    public init(_ samples: [SampleBlock], of sampler: any Sampler, _ statistics: PixelStatistics = .imageNet, arena: Arena) {
        self.init(samples: samples.map(\.header.sample), of: sampler, arena: arena) { array, images in
            let pixels = arena.array(of: UInt8.self, count: images.count)
            for (index, sample) in samples.enumerated() {
                let place = pixels.elements(index * array.byteCount..<(index + 1) * array.byteCount)
                arena.backend.upload(place, from: sample.bytes(array.name)!)
            }
            arena.backend.normalizeImages(images, pixels: pixels, statistics)
        } visible: { array in
            samples.map { sample in
                let mask = sample.bytes(array.name)!
                return mask.indices.compactMap { mask[$0] == 0 ? Int32($0) : nil }
            }
        } numbers: { array in
            samples.map { $0.floats(array.name) }
        }
    }

    /// So many samples of which only the shapes are known, for an arena on a `PlanningBackend`: as much is hidden as may be, evenly spread, so
    /// that of a mask of several pictures each has its share.
    init(planning count: Int, of sampler: any Sampler, arena: Arena) {
        self.init(samples: Array(0..<count), of: sampler, arena: arena) { _, images in
            arena.backend.normalizeImages(images, pixels: arena.array(of: UInt8.self, count: images.count), .imageNet)
        } visible: { array in
            let (patches, visible) = (array.shape[0], array.zeros!.lowerBound)
            return Array(repeating: (0..<visible).map { Int32($0 * patches / visible) }, count: count)
        } numbers: { array in
            Array(repeating: Array(repeating: 1, count: array.shape.reduce(1, *)), count: count)
        }
    }

    /// - Parameters:
    ///   - sizes: height and width of the pictures of arrays that are not as the sampler cuts them.
    ///   - fill: puts the normalised pictures of an array into a tensor.
    ///   - visible: for each sample the patches that a mask leaves.
    ///   - numbers: for each sample the numbers of an array of f32.
    package init(
        samples: [Int], of sampler: any Sampler, sizes: [String: (height: Int, width: Int)] = [:], arena: Arena,
        fill: (SampleArray, Tensor) throws -> Void, visible: (ArrayDeclaration) throws -> [[Int32]],
        numbers: (ArrayDeclaration) throws -> [[Float]]
    ) rethrows {
        self.samples = samples
        var images: [String: Tensor] = [:]
        for array in SampleLayout(sampler.arrays).arrays where array.isPictures {
            let (height, width) = sizes[array.name] ?? (array.shape[1], array.shape[2])
            let tensor = arena.tensor([samples.count * array.shape[0], 3, height, width])
            try fill(array, tensor)
            images[array.name] = tensor
        }
        self.images = images
        let masks = sampler.arrays.filter { $0.zeros != nil }
        self.visible = Dictionary(uniqueKeysWithValues: try masks.map { ($0.name, try visible($0)) })
        precondition(self.visible.values.allSatisfy { $0.allSatisfy { !$0.isEmpty } }, "a picture of which nothing is visible")
        let floats = sampler.arrays.filter { $0.kind == .float32 }
        self.numbers = Dictionary(uniqueKeysWithValues: try floats.map { ($0.name, try numbers($0)) })
    }

    /// Samples without numbers.
    package init(
        samples: [Int], of sampler: any Sampler, arena: Arena, fill: (SampleArray, Tensor) throws -> Void,
        visible: (ArrayDeclaration) throws -> [[Int32]]
    ) rethrows {
        try self.init(samples: samples, of: sampler, arena: arena, fill: fill, visible: visible) { _ in [] }
    }

    /// The pictures of an array, `[count · pictures, 3, height, width]`, normalised: all of the first sample, then
    /// all of the second, and so on.
    public func images(_ name: String) -> Tensor {
        guard let tensor = images[name] else { preconditionFailure("samples have no pictures called \(name)") }
        return tensor
    }

    /// Of each sample the patches that a mask leaves visible, in the order that their tokens will have.
    public func visiblePatches(_ name: String) -> [[Int32]] {
        guard let patches = visible[name] else { preconditionFailure("samples have no mask called \(name)") }
        return patches
    }

    /// Of each sample the numbers of an array.
    public func numbers(_ name: String) -> [[Float]] {
        guard let numbers = numbers[name] else { preconditionFailure("samples have no numbers called \(name)") }
        return numbers
    }
}

extension SampleBlock {
    /// The numbers of an array of f32.
    func floats(_ array: String) -> [Float] {
        let bytes = bytes(array)!
        return stride(from: 0, to: bytes.count, by: 4).map {
            Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
        }
    }

    /// The pixels of one of the pictures of an array, packed RGB.
    func picture(_ array: String, _ index: Int) -> UnsafeRawBufferPointer {
        let bytes = bytes(array)!
        let size = bytes.count / self.array(array)!.shape[0]
        return UnsafeRawBufferPointer(rebasing: bytes[index * size..<(index + 1) * size])
    }
}
