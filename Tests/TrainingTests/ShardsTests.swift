import Autograd
import Compute
import Ranks
import TestBackends
import TestSupport
import Testing
import Training

struct ShardsTests {
    @Test func aStepIsCutIntoEqualShardsAndThoseIntoPasses() {
        let cut = Shards(count: 4, microBatch: 3)
        let passes = cut.passes(ofShards: 0..<4, stepSize: 20)
        #expect(passes == [[0..<3, 3..<5], [5..<8, 8..<10], [10..<13, 13..<15], [15..<18, 18..<20]])
        #expect(cut.passes(ofShards: 2..<3, stepSize: 20) == [passes[2]])
    }

    /// The last step of a run takes what is left, fewer samples than there are shards at the least.
    @Test func nothingOfASmallStepIsLostOrDoubled() {
        for stepSize in 1...17 {
            let passes = Shards(count: 8, microBatch: 2).passes(ofShards: 0..<8, stepSize: stepSize)
            #expect(passes.count == 8 && passes.joined().flatMap(Array.init) == Array(0..<stepSize))
        }
    }

    @Test func trainersShareShardsEvenly() {
        let cut = Shards(count: 8, microBatch: 1)
        for ranks in 1...8 {
            let shares = (0..<ranks).map { cut.shards(ofRank: $0, of: ranks) }
            #expect(shares.flatMap(Array.init) == Array(0..<8))
            #expect(shares.map(\.count).max()! - shares.map(\.count).min()! <= 1)
        }
    }

    @Test func neighboursJoinWholeSubtrees() {
        func nodes(_ shards: Range<Int>) -> [[Int]] { wholeNodes(ofShards: shards).map { [$0.level, $0.index] } }
        #expect(nodes(0..<8) == [[3, 0]])
        #expect(nodes(2..<5) == [[1, 1], [0, 4]])
        #expect(nodes(5..<8) == [[0, 5], [1, 3]])
        #expect(nodes(1..<7) == [[0, 1], [1, 1], [1, 2], [0, 6]])
        #expect(nodes(3..<3) == [])
        #expect((0...4).map { Shards.copies(ofShards: 0..<1 << $0) } == [0, 1, 2, 3, 4])
        #expect(Shards.copies(ofShards: 2..<5) == 1 && Shards.copies(ofShards: 5..<8) == 2)
    }

    /// In f32 the order of a sum shows in its last bits; the expected one is written out.
    @Test(arguments: TestBackend.devices) func shardsAddUpTwoByTwo(backend: TestBackend) throws {
        let store = ParameterStore([("weight", [40, 50])], backend: try backend.open())
        let further = store.backend.tensor([3])
        let sums = StepSums(of: store, [further], shards: 0..<8)
        let exchange = StepExchange(Alone(), store, Shards(count: 8, microBatch: 1))
        let shards = (0..<8).map { TestNumbers.normal(store.count, seed: UInt64($0) + 1) }
        for _ in 0..<2 {
            sums.clear()
            for (shard, gradients) in shards.enumerated() {
                store.backend.upload(store.gradients, from: gradients)
                store.backend.upload(further, from: [1, Float(shard), 0.1])
                store.backend.upload(sums.loss, from: [0.1 * Double(shard + 1)])
                sums.finishShard()
            }
            let reading = try sums.read(with: exchange)
            func pair(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map { $0 + $1 } }
            let fours = [0, 4].map { pair(pair(shards[$0], shards[$0 + 1]), pair(shards[$0 + 2], shards[$0 + 3])) }
            let inTurn = shards.dropFirst().reduce(shards[0], pair)
            let gradients = store.backend.download(store.gradients)
            #expect(gradients.map(\.bitPattern) == pair(fours[0], fours[1]).map(\.bitPattern))
            #expect(gradients.map(\.bitPattern) != inTurn.map(\.bitPattern))
            #expect(store.backend.download(further).prefix(2) == [8, 28])
            let losses: [Double] = (0..<8).map { 0.1 * Double($0 + 1) }
            let pairs: [Double] = stride(from: 0, to: 8, by: 2).map { losses[$0] + losses[$0 + 1] }
            #expect(reading.loss == (pairs[0] + pairs[1]) + (pairs[2] + pairs[3]))
        }
    }
}
