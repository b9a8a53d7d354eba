/// Where an earlier frame of a scene shows what a later one shows, pixel by pixel and exactly.
public struct Correspondence: Sendable {
    /// What a pixel of the later frame is.
    public enum Region: UInt8, CaseIterable, Sendable {
        /// Not seen in the earlier frame: hidden there, or out of the picture.
        case unseen
        /// Background, seen in the earlier frame and in all frames between.
        case background
        /// An object, likewise.
        case object
        /// Seen in both frames, but not in some frame between.
        case afterOcclusion
    }

    /// How many frames later than the first one are those that a synthesized set has correspondences of.
    public static let gaps = [1, 2, 4, 8, 16, 32]

    /// What Middlebury's .flo has where nothing is known: anything above 1e9.
    public static let unknown: Float = 1e10

    /// How far to the right and down the same place lies in the earlier frame, in pixels: `[height, width, 2]`; ``unknown`` where it is not seen.
    public let displacements: [Float]
    /// A ``Region`` each: `[height, width]`.
    public let regions: [UInt8]

    public init(displacements: [Float], regions: [UInt8]) { (self.displacements, self.regions) = (displacements, regions) }
}

extension Scene {
    /// Where what a frame shows was in an earlier one.
    ///
    /// - Parameter masks: of all frames up to the later one, as a renderer draws them.
    public func correspondence(from frame: Int, to earlier: Int, masks: [[UInt8]]) -> Correspondence {
        precondition(earlier < frame && frame < masks.count, "frames \(earlier) and \(frame) of \(masks.count) masks")
        let mask = masks[frame]
        /// Which pixels are seen in another frame: where the same layer is in front there.
        func seen(in other: Int, _ flow: [Float]) -> [Bool] {
            mask.indices.map { pixel in
                let x = (Float(pixel % width) + 0.5 + flow[2 * pixel]).rounded(.down)
                let y = (Float(pixel / width) + 0.5 + flow[2 * pixel + 1]).rounded(.down)
                guard x >= 0, y >= 0, x < Float(width), y < Float(height) else { return false }
                return masks[other][Int(y) * width + Int(x)] == mask[pixel]
            }
        }
        var displacements = flow(from: frame, to: earlier, mask: mask)
        let isSeen = seen(in: earlier, displacements)
        var isAlwaysSeen = isSeen
        for between in earlier + 1..<frame {
            for (pixel, isThere) in seen(in: between, flow(from: frame, to: between, mask: mask)).enumerated() where !isThere {
                isAlwaysSeen[pixel] = false
            }
        }
        let regions = mask.indices.map { pixel -> Correspondence.Region in
            guard isSeen[pixel] else { return .unseen }
            return !isAlwaysSeen[pixel] ? .afterOcclusion : mask[pixel] == 0 ? .background : .object
        }
        for pixel in mask.indices where !isSeen[pixel] {
            (displacements[2 * pixel], displacements[2 * pixel + 1]) = (Correspondence.unknown, Correspondence.unknown)
        }
        return Correspondence(displacements: displacements, regions: regions.map(\.rawValue))
    }
}
