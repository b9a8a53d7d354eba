import Autograd
import Compute
import Models
import Pictures
import Propagation
import Recipes
import Sampling
import Synthesis

/// Finds the patches of later frames again in a sequence's first one, by all that a model has learned to find them by.
public struct PatchMatcher {
    private let recipe: any Recipe
    private let arena: Arena
    private let grid: PatchGrid
    private let size: (height: Int, width: Int)

    /// - Parameter size: what frames are brought to before the encoder sees them, in pixels; patches divide it.
    public init(_ recipe: any Recipe, size: (height: Int, width: Int)) {
        (self.recipe, self.size) = (recipe, size)
        arena = Arena(backend: recipe.parameters.backend)
        let patch = recipe.encoder.configuration.patchSize
        grid = PatchGrid(rows: size.height / patch, columns: size.width / patch)
    }

    /// What each way of looking finds in one frame: the best match of each patch, in its own grid.
    public struct Found {
        public let source: MatchSource
        public let grid: PatchGrid
        public let matches: [Int]
    }

    /// Matches of the later frames of a sequence.
    ///
    /// - Parameter number: of the sequence; with the gap it decides which patches of a later frame the decoder sees.
    public func matches(in sequence: TrueSequence, number: Int) -> [(gap: Int, found: [Found])] {
        let first = layers(sequence.first)
        return sequence.later.map { gap, picture, _ in
            let own = Found(source: MatchSource(.samePlace), grid: grid, matches: Array(0..<grid.count))
            let byEncoder = zip(layers(picture), first).enumerated().flatMap { index, pair in
                found(.encoder, layer: index + 1, pair.0.tokens, pair.1.tokens, grid, heads: nil, isCosine: true)
                    + found(
                        .encoder, layer: index + 1, pair.0.keys, pair.1.keys, grid, heads: recipe.encoder.configuration.heads,
                        isCosine: true)
            }
            return (gap, [own] + byEncoder + byCrossAttention(sequence.first, picture, ticket: number * 100 + gap))
        }
    }

    private func layers(_ picture: RGBImage) -> [EncoderLayer] {
        let image = arena.tensor([1, 3, size.height, size.width])
        arena.backend.upload(image, from: picture.normalized(height: size.height, width: size.width, recipe.encoder.pixelStatistics))
        return recipe.encoder.layers(recipe.encoder.stills(image, arena: arena), arena: arena)
    }

    /// - Parameters:
    ///   - grid: of the patches, a row of the queries and of the keys each.
    ///   - heads: into so many parts rows fall, each of which finds a match; nil: whole rows do.
    ///   - isCosine: whether the lengths of rows do not count.
    private func found(
        _ kind: MatchSource.Kind, layer: Int, _ queries: [Float], _ keys: [Float], _ grid: PatchGrid, heads: Int?, isCosine: Bool
    ) -> [Found] {
        let width = queries.count / grid.count / (heads ?? 1)
        return (0..<(heads ?? 1)).map { head in
            let parts = [queries, keys].map { rows in
                let own = rows.columns(head * width..<(head + 1) * width, rows: grid.count)
                return isCosine ? own.unitRows(width) : own
            }
            return Found(
                source: MatchSource(kind, layer: layer, head: heads.map { _ in head + 1 }), grid: grid,
                matches: bestMatches(parts[0], parts[1], width: width))
        }
    }

    /// Of a siamese masked autoencoder, at the size of its training and with its masks.
    private func byCrossAttention(_ first: RGBImage, _ later: RGBImage, ticket: Int) -> [Found] {
        guard let recipe = recipe as? SiamMAE else { return [] }
        let sampler = recipe.settings.sampler as! FramePairSampler
        let side = sampler.sampling.imageSize
        let mask = sampler.geometry(Draw(seed: 0, ticket: ticket, record: .imagined)).mask
        let all = Array(0..<Int32(sampler.patchCount))
        let batch = SampleBatch(samples: [0], of: sampler, arena: arena) { _, frames in
            let pixels = [first, later].flatMap { $0.normalized(height: side, width: side, recipe.encoder.pixelStatistics) }
            arena.backend.upload(frames, from: pixels)
        } visible: { array in
            [array.name == "mask" ? all.filter { mask[Int($0)] == 0 } : all]
        }
        let own = PatchGrid(rows: sampler.gridSize, columns: sampler.gridSize)
        let heads = recipe.settings.model.decoderHeads!
        return recipe.crossAttention(of: batch, on: Tape(arena: arena, isRecording: false)).enumerated().flatMap { index, pair in
            found(.crossAttention, layer: index + 1, pair.queries, pair.keys, own, heads: heads, isCosine: false)
        }
    }

    /// Of each query the key with the greatest product; of equal ones the first.
    private func bestMatches(_ queries: [Float], _ keys: [Float], width: Int) -> [Int] {
        let (asked, there) = (queries.count / width, keys.count / width)
        let (q, k, products) = (arena.tensor([asked, width]), arena.tensor([there, width]), arena.tensor([asked, there]))
        arena.backend.upload(q, from: queries)
        arena.backend.upload(k, from: keys)
        arena.backend.product(products, q, k, transposeA: false, transposeB: true)
        let scores = arena.backend.download(products)
        return (0..<asked).map { query in
            let row = query * there..<(query + 1) * there
            return row.max { scores[$0] < scores[$1] }! - row.lowerBound
        }
    }
}

extension [Float] {
    /// Some columns of a matrix.
    fileprivate func columns(_ columns: Range<Int>, rows: Int) -> [Float] {
        let width = count / rows
        return (0..<rows).flatMap { self[$0 * width + columns.lowerBound..<$0 * width + columns.upperBound] }
    }

    /// The rows of a matrix, each brought to length 1.
    fileprivate func unitRows(_ width: Int) -> [Float] {
        stride(from: 0, to: count, by: width).flatMap { start -> [Float] in
            let row = self[start..<start + width]
            let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return row.map { $0 / Swift.max(length, 1e-12) }
        }
    }
}
