/// Masks of clips that follow what moves: a map of what is to be seen is drawn for the middle frame, carried from frame to frame along the
/// optical flow, and of each step in time the cubes with the largest sums stay visible.
///
/// Huang et al., arXiv 2308.10794, section 3.2; MCG-NJU/MGMAE masking_generator.py, engine_for_mgmae.py and softsplat.py. Frames before the
/// middle are carried along the flow to the frame after each: the released code takes the flow in the other direction there.
package struct MotionMask {
    /// Frames of the clip.
    let frames: Int
    /// Side of the frames in pixels.
    let side: Int
    /// Side of a patch in pixels, and frames of one.
    let patchSize, tubelet: Int

    package init(frames: Int, side: Int, patchSize: Int, tubelet: Int) {
        (self.frames, self.side, self.patchSize, self.tubelet) = (frames, side, patchSize, tubelet)
    }

    /// Places that stay visible of a step's `places`: `int(places * (1 - ratio))`, 19 of 196 at 0.9.
    package static func visibleCount(of places: Int, ratio: Double) -> Int { Int(Double(places) * (1 - ratio)) }

    /// The frame that the map is drawn for.
    package var baseFrame: Int { frames / 2 }

    private var grid: Int { side / patchSize }

    /// The mask of a clip, over time, then in row order: 0 where a patch is visible, 1 where it is hidden.
    ///
    /// - Parameters:
    ///   - centres: the places, in row order, around whose middles the middle frame is seen.
    ///   - visible: cubes that stay visible in each step.
    ///   - flow: of a frame, to the frame next to it on the side of the middle.
    package func mask(centres: [Int], visible: Int, flow: (_ frame: Int, _ neighbour: Int) -> OpticalFlow) -> [UInt8] {
        mask(volume: volume(maps(centres: centres, flow: flow)), visible: visible)
    }

    /// The map of the middle frame, `[side, side]`: around each place `exp(-(dx² + dy²) / patch²)`, the largest of them counting, and the largest
    /// of all being 1.
    package func baseMap(centres: [Int]) -> [Float] {
        // By twice the distance in pixels, which is a whole number.
        let bells = (0..<2 * side).map { twice -> Float in
            let distance = Double(twice) / 2 / Double(patchSize)
            return Float(exponential(-distance * distance))
        }
        var map = [Float](repeating: 0, count: side * side)
        map.withUnsafeMutableBufferPointer { map in
            for centre in centres {
                let (row, column) = centre.quotientAndRemainder(dividingBy: grid)
                let across = (0..<side).map { bells[abs(2 * $0 - (2 * column + 1) * patchSize + 1)] }
                for y in 0..<side {
                    let down = bells[abs(2 * y - (2 * row + 1) * patchSize + 1)]
                    for x in 0..<side { map[y * side + x] = max(map[y * side + x], down * across[x]) }
                }
            }
        }
        let largest = map.max() ?? 1
        return map.map { $0 / largest }
    }

    /// The maps of all frames, `[frames][side, side]`.
    package func maps(centres: [Int], flow: (_ frame: Int, _ neighbour: Int) -> OpticalFlow) -> [[Float]] {
        let base = baseMap(centres: centres)
        var maps = [[Float]](repeating: base, count: frames)
        for frame in baseFrame + 1..<frames {
            maps[frame] = carried(maps[frame - 1], along: flow(frame, frame - 1), base: base)
        }
        for frame in (0..<baseFrame).reversed() { maps[frame] = carried(maps[frame + 1], along: flow(frame, frame + 1), base: base) }
        return maps
    }

    /// What a neighbour's map shows where each pixel lies in it, bilinear, zero outside; where that is zero, what the middle frame's map has.
    private func carried(_ map: [Float], along flow: OpticalFlow, base: [Float]) -> [Float] {
        precondition(flow.side == side, "a flow of \(flow.side) pixels for a clip of \(side)")
        let side = side
        // The published normalisation of coordinates shortens ways by so much.
        let scale = Float(side - 1) / Float(side)
        return [Float](unsafeUninitializedCapacity: side * side) { carried, count in
            map.withUnsafeBufferPointer { map in
                flow.withUnsafePointers { across, down in
                    for y in 0..<side {
                        for pixel in y * side..<(y + 1) * side {
                            let x = Float(pixel - y * side) + across[pixel] * scale
                            let shown = Self.level(of: map, side, x, Float(y) + down[pixel] * scale)
                            carried[pixel] = shown == 0 ? base[pixel] : shown
                        }
                    }
                }
            }
            count = side * side
        }
    }

    /// A map between its pixels, bilinear, zero outside.
    @inline(__always)
    private static func level(of map: UnsafeBufferPointer<Float>, _ side: Int, _ x: Float, _ y: Float) -> Float {
        guard x > -1, y > -1, x < Float(side), y < Float(side) else { return 0 }
        // Downwards, of numbers above -1.
        let (column, row) = (Int(x + 1) - 1, Int(y + 1) - 1)
        let (shareX, shareY) = (x - Float(column), y - Float(row))
        func at(_ row: Int, _ column: Int) -> Float {
            row >= 0 && column >= 0 && row < side && column < side ? map[row * side + column] : 0
        }
        let above = at(row, column) * (1 - shareX) + at(row, column + 1) * shareX
        return above * (1 - shareY) + (at(row + 1, column) * (1 - shareX) + at(row + 1, column + 1) * shareX) * shareY
    }

    /// The sums of maps over cubes, `[steps, places]`.
    package func volume(_ maps: [[Float]]) -> [Float] {
        var sums = [Float](repeating: 0, count: frames / tubelet * grid * grid)
        for (frame, map) in maps.enumerated() {
            for y in 0..<side {
                let row = (frame / tubelet * grid + y / patchSize) * grid
                for column in 0..<grid {
                    let first = y * side + column * patchSize
                    sums[row + column] += map[first..<first + patchSize].reduce(0, +)
                }
            }
        }
        return sums
    }

    /// The cubes of the largest sums of each step are visible; of equal ones the earlier.
    package func mask(volume: [Float], visible: Int) -> [UInt8] {
        let places = grid * grid
        var mask = [UInt8](repeating: 1, count: volume.count)
        for first in stride(from: 0, to: volume.count, by: places) {
            let order = (first..<first + places).sorted { (-volume[$0], $0) < (-volume[$1], $1) }
            for place in order.prefix(visible) { mask[place] = 0 }
        }
        return mask
    }
}
