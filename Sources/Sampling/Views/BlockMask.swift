/// Masks that hide rectangles of patches, drawn at random until enough are hidden.
///
/// Up to ten rectangles are tried at a time. The area of one is drawn between the smallest and the room that is left, or backwards from one
/// to the other where less room is left, and its height over its width log-uniformly; it is laid anywhere, over others too, where it hides
/// a patch more and no more than there is room for. Where ten fail no more are tried.
///
/// Bao et al., arXiv 2106.08254, algorithm 1; bytedance/ibot loader.py and OpenGVLab/Siamese-Image-Modeling util/masking_generator.py.
package struct BlockMask {
    /// Patches from top to bottom and from left to right.
    private let rows, columns: Int
    /// Patches hidden at most, a fraction of which counts for areas.
    private let limit: Double
    /// The area from which rectangles are drawn.
    private let smallest: Double
    /// Whether single patches are hidden in the end until the limit is reached.
    private let isFilled: Bool

    /// Smallest and largest height over width of a rectangle, as logarithms.
    private static let logAspect = logarithm(0.3)...logarithm(1 / 0.3)
    /// Rectangles that are tried before one more is given up.
    private static let maximumTries = 10

    /// iBOT's rule: at most `ratio` of the patches.
    package static func upTo(ratio: Double, rows: Int, columns: Int) -> BlockMask {
        let side = min(rows, columns) / 3
        return BlockMask(
            rows: rows, columns: columns, limit: ratio * Double(rows * columns), smallest: Double(side * side), isFilled: false)
    }

    /// BEiT's rule, and SiameseIM's: so many patches and no others.
    package static func exactly(_ count: Int, rows: Int, columns: Int, smallest: Int = 16) -> BlockMask {
        BlockMask(rows: rows, columns: columns, limit: Double(count), smallest: Double(smallest), isFilled: true)
    }

    /// Patches that are hidden at most by ``upTo(ratio:rows:columns:)``.
    static func maximumCount(of patches: Int, ratio: Double) -> Int { Int(ratio * Double(patches)) }

    /// A mask in row order: 1 where a patch is hidden.
    package func draw(from source: inout some BlockMaskSource) -> [UInt8] {
        var mask = [UInt8](repeating: 0, count: rows * columns)
        var count = 0
        while Double(count) < limit {
            let hidden = hideRectangle(of: &mask, room: limit - Double(count), from: &source)
            guard hidden > 0 else { break }
            count += hidden
        }
        if isFilled {
            for patch in source.choose(Int(limit) - count, of: mask.indices.filter { mask[$0] == 0 }) { mask[patch] = 1 }
        }
        return mask
    }

    /// Hides one more rectangle and returns how many patches more that hides, 0 where none fitted.
    private func hideRectangle(of mask: inout [UInt8], room: Double, from source: inout some BlockMaskSource) -> Int {
        func rounded(_ value: Double) -> Int { Int(value.rounded(.toNearestOrEven)) }
        for _ in 0..<Self.maximumTries {
            let area = source.number(from: smallest, to: room)
            let aspect = exponential(source.number(from: Self.logAspect.lowerBound, to: Self.logAspect.upperBound))
            let (height, width) = (rounded((area * aspect).squareRoot()), rounded((area / aspect).squareRoot()))
            guard height < rows, width < columns else { continue }
            let (top, left) = (source.uniform(below: rows - height + 1), source.uniform(below: columns - width + 1))
            let patches = (top..<top + height).flatMap { row in (left..<left + width).map { row * columns + $0 } }
            let hidden = patches.count { mask[$0] == 0 }
            guard hidden > 0, Double(hidden) <= room else { continue }
            for patch in patches { mask[patch] = 1 }
            return hidden
        }
        return 0
    }
}

/// Where the numbers of a block mask come from.
package protocol BlockMaskSource {
    /// A number between two, of which either may be the larger.
    mutating func number(from start: Double, to end: Double) -> Double
    /// A whole number in 0..<bound.
    mutating func uniform(below bound: Int) -> Int
    /// Some of the patches, each set of so many as likely as the others.
    mutating func choose(_ count: Int, of patches: [Int]) -> [Int]
}

extension RandomStream: BlockMaskSource {
    package mutating func number(from start: Double, to end: Double) -> Double { start + (end - start) * uniform01() }

    package mutating func choose(_ count: Int, of patches: [Int]) -> [Int] {
        var patches = patches
        for place in 0..<count { patches.swapAt(place, place + uniform(below: patches.count - place)) }
        return Array(patches[..<count])
    }
}
