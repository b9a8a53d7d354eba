import Compute
import TestBackends
import Testing

/// The arithmetic that a plan counts.
@Suite struct PlanningBackendTests {
    private let backend = PlanningBackend()
    private let arena: Arena
    init() { arena = Arena(backend: backend) }

    @Test func productsOfMatrices() {
        func counted(_ work: () -> Void) -> Double {
            let before = backend.operations
            work()
            return backend.operations - before
        }
        let (x, y, weight, bias) = (arena.tensor([7, 3]), arena.tensor([7, 5]), arena.tensor([5, 3]), arena.tensor([5]))
        let multiplyAdds = 7.0 * 3 * 5
        #expect(counted { backend.linear(y, x, weight: weight, bias: bias) } == 2 * multiplyAdds)
        #expect(counted { backend.linearResidual(y, x, residual: y, weight: weight, bias: bias) } == 2 * multiplyAdds)
        #expect(counted { backend.linearGELU(y, derivative: y, x, weight: weight, bias: bias) } == 2 * multiplyAdds)
        #expect(counted { backend.linearBackwardInput(x, y, weight: weight, accumulates: true) } == 2 * multiplyAdds)
        #expect(counted { backend.linearBackwardWeight(weight, dBias: bias, y, x) } == 2 * multiplyAdds)
        #expect(counted { backend.product(y, x, weight, transposeA: false, transposeB: true) } == 2 * multiplyAdds)
        #expect(counted { backend.product(weight, y, x, transposeA: true, transposeB: false) } == 2 * multiplyAdds)
        #expect(counted { backend.add(y, y) } == 0)
    }

    /// Every query of a sequence with every key of it, over all heads' columns: two products forward, four backward.
    @Test func attention() {
        let (queries, keys, width) = (SequenceLayout(lengths: [2, 3]), SequenceLayout(lengths: [5, 7]), 6)
        let (q, k, y) = (arena.tensor([5, width]), arena.tensor([12, 2 * width]), arena.tensor([5, width]))
        let sums = arena.tensor([2, 5])
        let (query, key, value) = (Columns(q, 0..<width), Columns(k, 0..<width), Columns(k, width..<2 * width))
        backend.attention(y, logSumExp: sums, query: query, key: key, value: value, queries: queries, keys: keys, heads: 2)
        let multiplyAdds = Double((2 * 5 + 3 * 7) * width)
        #expect(backend.operations == 2 * 2 * multiplyAdds)
        backend.attentionBackward(
            dQuery: query, dKey: key, dValue: value, y, y, logSumExp: sums, query: query, key: key, value: value, queries: queries,
            keys: keys, heads: 2)
        #expect(backend.operations == 2 * (2 + 4) * multiplyAdds)
    }

    /// Cells within reach, counted one by one, and all where a frame is seen everywhere.
    @Test func comparedCells() {
        let neighbourhood = Neighbourhood(height: 3, width: 5, reach: [7, 1, -1])
        var pairs = 0
        for a in 0..<15 {
            for b in 0..<15 where abs(a % 5 - b % 5) <= Int(neighbourhood.reach[abs(a / 5 - b / 5)]) { pairs += 1 }
        }
        #expect(neighbourhood.pairs == pairs)
        let features = arena.tensor([15, 4])
        let found = backend.topKAffinity(
            features, [ContextFrame(features), ContextFrame(features, copies: (2, 1))], neighbourhood: neighbourhood, k: 2, ties: 1)
        #expect(backend.operations == Double(2 * 4 * (pairs + 15 * 15)))
        #expect(found.counts == [Int32](repeating: 0, count: 15))
    }
}
