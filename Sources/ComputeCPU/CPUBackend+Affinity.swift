import CKernels
import Compute

extension CPUBackend: SimilarityBackend {
    // Frame by frame, so that one frame's features stay in the cache while all tiles read them.
    public func topKAffinity(
        _ queries: Tensor, _ context: [ContextFrame], neighbourhood: Neighbourhood, k: Int, ties: Int
    ) -> Matches {
        let (cells, dimension) = (neighbourhood.cells, queries.columns)
        precondition(
            k > 0 && ties >= 0 && queries.rows == cells
                && context.allSatisfy { $0.features.rows == cells && $0.features.columns == dimension },
            "\(queries.shape) on a grid of \(neighbourhood.height) x \(neighbourhood.width)")
        let (tileHeight, tileWidth) = (tandem_tile_height, tandem_tile_width)
        let across = (neighbourhood.width + tileWidth - 1) / tileWidth
        let tiles = (neighbourhood.height + tileHeight - 1) / tileHeight * across
        func tile(_ index: Int) -> tandem_tile {
            tandem_tile(
                top: index / across * tileHeight, left: index % across * tileWidth, grid_height: neighbourhood.height,
                grid_width: neighbourhood.width)
        }
        let tileCount = tileHeight * tileWidth * dimension
        scratch.clear()
        let packed = scratch.block(tiles, tileCount).floats
        pool.parallelFor(tiles) { index, _ in kernels.pack_tile(packed + index * tileCount, queries.pointer, tile(index), dimension) }

        var found = Matches(cells: cells, capacity: k + ties)
        found.counts.withUnsafeMutableBufferPointer { counts in
            found.scores.withUnsafeMutableBufferPointer { scores in
                found.sources.withUnsafeMutableBufferPointer { sources in
                    var matches = tandem_matches(
                        counts: counts.baseAddress, scores: scores.baseAddress, sources: sources.baseAddress, best: k, capacity: k + ties)
                    withUnsafePointer(to: &matches) { matches in
                        for (number, frame) in context.enumerated() {
                            pool.parallelFor(tiles) { index, _ in
                                kernels.top_k_affinity(
                                    matches, packed + index * tileCount, frame.features.pointer, neighbourhood.reach, tile(index),
                                    dimension,
                                    Int32(number * cells), Int32(frame.copies.inside), Int32(frame.copies.outside))
                            }
                        }
                    }
                }
            }
        }
        return found
    }
}
