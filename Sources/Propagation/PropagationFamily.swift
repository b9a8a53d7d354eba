import Compute
import Pictures

/// The two published ways of label propagation. All that differs between them stands in this file.
public enum PropagationFamily: String, CaseIterable, Codable, Sendable {
    /// ajabri/videowalk's, also CropMAE's and CatMAE's.
    ///
    /// The queue is full from the start: frames before the first are copies of it, and each competes by itself. The first frame is seen
    /// everywhere, the queue within a disc. First labels have soft borders.
    case videowalk
    /// DINO's, also RSP's.
    ///
    /// The queue starts empty. The first frame and the queue are seen within a square. First labels are hard, so small objects may vanish;
    /// masks come from planes that are stretched to 0…1 each.
    case dino
}

// What a cell is compared with.
extension PropagationFamily {
    /// The cells that count in a frame of the queue.
    ///
    /// - Parameter radius: videowalk: cells nearer than it; DINO: cells up to it away in both directions, 0: all.
    func neighbourhood(radius: Double, height: Int, width: Int) -> Neighbourhood {
        Neighbourhood(
            height: height, width: width,
            reach: (0..<height).map { dy in
                switch self {
                case .videowalk: Int32((0..<width).last { dx in Double(dx * dx + dy * dy) < radius * radius } ?? -1)
                case .dino: radius == 0 || Double(dy) <= radius ? Int32(radius == 0 ? width : Int(min(radius, Double(width)))) : -1
                }
            })
    }

    /// How often a cell of the first frame competes within the neighbourhood and outside.
    ///
    /// - Parameter missing: by how many frames the queue reaches to before the first one.
    func copiesOfFirstFrame(missing: Int) -> (inside: Int, outside: Int) {
        switch self {
        case .videowalk: (1 + missing, 1)
        case .dino: (1, 0)
        }
    }

    /// How many cells beyond the k-th have a vote if they are as similar as it: DINO cuts by value. It knows no limit; this one
    /// allows for a still picture, which is as similar to itself in every frame of a queue.
    var ties: Int {
        switch self {
        case .videowalk: 0
        case .dino: 64
        }
    }
}

// From masks to labels and back.
extension PropagationFamily {
    /// The labels that a video starts with, and what each of their channels stands for.
    public func firstLabels(_ mask: LabelMap, grid: InputGrid) -> (labels: SoftLabels, objects: [UInt8]) {
        switch self {
        case .videowalk:
            let objects = Set(mask.labels).sorted()
            let input = mask.resized(width: grid.inputWidth, height: grid.inputHeight)
            return (SoftLabels(oneHot: input, objects: objects, height: grid.height, width: grid.width), objects)
        case .dino:
            let small = mask.resizedAsPillow(width: grid.width, height: grid.height)
            let objects = Array(0...small.labels.max()!)
            return (SoftLabels(oneHot: small, objects: objects, height: grid.height, width: grid.width), objects)
        }
    }

    /// The mask that labels stand for.
    public func mask(_ labels: SoftLabels, objects: [UInt8], grid: InputGrid, width: Int, height: Int) -> LabelMap {
        switch self {
        case .videowalk:
            labels.mask(height: grid.inputHeight, width: grid.inputWidth, objects: objects).resized(width: width, height: height)
        case .dino:
            labels.mask(height: grid.inputHeight, width: grid.inputWidth, objects: objects, stretched: true)
                .resizedAsPillow(width: width, height: height)
        }
    }
}

// What the encoder sees.
extension PropagationFamily {
    /// DINO scales 8-bit pictures; videowalk floats.
    var scalesBytes: Bool { self == .dino }

    /// The channels' standard deviation; DINO's red is a slip of the pen that its numbers were published with.
    func standardDeviation(_ statistics: PixelStatistics) -> [Float] {
        self == .dino && statistics == .imageNet ? [0.228] + statistics.standardDeviation[1...] : statistics.standardDeviation
    }
}
