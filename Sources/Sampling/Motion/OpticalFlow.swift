import CMotion

/// Where each pixel of a picture lies in another: what a map is carried along by.
package struct OpticalFlow: Sendable {
    /// Side of the pictures in pixels.
    package let side: Int
    /// How far to the right, and how far down, in pixels: `[side, side]` each.
    package let x, y: [Float]

    /// Motion that is known.
    package init(side: Int, x: [Float], y: [Float]) {
        precondition(x.count == side * side && y.count == side * side, "\(x.count) and \(y.count) numbers for a side of \(side)")
        (self.side, self.x, self.y) = (side, x, y)
    }

    /// Calls `body` with the distances, to the right and down.
    @inline(__always)
    func withUnsafePointers(_ body: (_ x: UnsafeBufferPointer<Float>, _ y: UnsafeBufferPointer<Float>) -> Void) {
        x.withUnsafeBufferPointer { x in y.withUnsafeBufferPointer { y in body(x, y) } }
    }
}

/// Optical flow between the frames of a clip, estimated by matching blocks.
package struct BlockMatching {
    /// Side of a block in pixels.
    private static let block = 8
    /// The smallest pictures whose motion can be found.
    static let minimumSide = 8
    /// How far, in pixels, a block may come to lie from where it was once it has gone to another picture and back.
    private static let tolerance: Float = 1.5

    private let side: Int
    private let pyramids: [[UInt8]]

    /// Blocks along a side; the last may reach beyond it.
    private var grid: Int { (side + Self.block - 1) / Self.block }

    /// - Parameter clip: packed RGB, `[frames, side, side, 3]`; `side` is ``minimumSide`` or more.
    package init(_ clip: UnsafeRawBufferPointer, frames: Int, side: Int) {
        precondition(
            clip.count == frames * side * side * 3 && side >= Self.minimumSide, "\(clip.count) bytes for \(frames) frames of \(side)")
        self.side = side
        let size = tandem_pyramid_size(Int32(side)), bytes = clip.assumingMemoryBound(to: UInt8.self)
        pyramids = (0..<frames).map { frame in
            [UInt8](unsafeUninitializedCapacity: size) { pyramid, count in
                tandem_make_pyramid(pyramid.baseAddress, bytes.baseAddress! + frame * side * side * 3, Int32(side))
                count = size
            }
        }
    }

    /// The flow from one frame to another, pixel by pixel between the middles of blocks. A block that does not come back, on the way from
    /// there to here, to where it was is hidden there: it moves as its neighbours do.
    package func flow(from: Int, to: Int) -> OpticalFlow {
        let vectors = match(from, to), back = match(to, from)
        var isSure = [Bool](repeating: false, count: grid * grid)
        for block in isSure.indices {
            let (x, y) = (vectors[2 * block], vectors[2 * block + 1])
            let there = place(block % grid, x) + place(block / grid, y) * grid
            isSure[block] = abs(x + back[2 * there]) <= Self.tolerance && abs(y + back[2 * there + 1]) <= Self.tolerance
        }
        return dense(smoothed(vectors, isSure))
    }

    private func match(_ from: Int, _ to: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: 2 * grid * grid) { vectors, count in
            tandem_match_blocks(vectors.baseAddress, pyramids[from], pyramids[to], Int32(side))
            count = 2 * grid * grid
        }
    }

    /// In which row or column of blocks the middle of a block comes to lie.
    private func place(_ block: Int, _ distance: Float) -> Int {
        let middle = Float(block * Self.block + Self.block / 2) + distance
        return min(grid - 1, max(0, Int((middle / Float(Self.block)).rounded(.down))))
    }

    /// Of each block the median, number by number, of those sure vectors that it and the eight around it have; where there is none, its own.
    private func smoothed(_ vectors: [Float], _ isSure: [Bool]) -> [Float] {
        var smoothed = vectors
        var (x, y): ([Float], [Float]) = ([], [])
        for row in 0..<grid {
            for column in 0..<grid {
                x.removeAll(keepingCapacity: true)
                y.removeAll(keepingCapacity: true)
                for near in max(0, row - 1)...min(grid - 1, row + 1) {
                    for block in near * grid + max(0, column - 1)...near * grid + min(grid - 1, column + 1) where isSure[block] {
                        x.append(vectors[2 * block])
                        y.append(vectors[2 * block + 1])
                    }
                }
                guard !x.isEmpty else { continue }
                x.sort()
                y.sort()
                smoothed[2 * (row * grid + column)] = x[x.count / 2]
                smoothed[2 * (row * grid + column) + 1] = y[y.count / 2]
            }
        }
        return smoothed
    }

    /// Bilinear between the middles of blocks, and as the nearest beyond those of the border.
    private func dense(_ vectors: [Float]) -> OpticalFlow {
        let count = side * side
        let places = (0..<side).map { pixel -> (low: Int, high: Int, share: Float) in
            let place = (Float(pixel) + 0.5) / Float(Self.block) - 0.5
            let low = Int(place.rounded(.down))
            return (max(0, low), min(grid - 1, low + 1), place - Float(low))
        }
        func component(_ offset: Int) -> [Float] {
            [Float](unsafeUninitializedCapacity: count) { pixels, initializedCount in
                var row = [Float](repeating: 0, count: grid)
                for (y, down) in places.enumerated() {
                    for column in 0..<grid {
                        let above = vectors[2 * (down.low * grid + column) + offset],
                            below = vectors[2 * (down.high * grid + column) + offset]
                        row[column] = above + (below - above) * down.share
                    }
                    for (x, across) in places.enumerated() {
                        pixels[y * side + x] = row[across.low] + (row[across.high] - row[across.low]) * across.share
                    }
                }
                initializedCount = count
            }
        }
        return OpticalFlow(side: side, x: component(0), y: component(1))
    }
}
