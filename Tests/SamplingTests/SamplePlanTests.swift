import Sampling
import Testing

@Suite struct SamplePlanTests {
    @Test func smallEpochsVisitEveryVideoOnce() {
        for count in 1...300 {
            let permutation = EpochPermutation(count: count, seed: UInt64(count), epoch: count % 7)
            #expect((0..<count).map { permutation[$0] }.sorted() == Array(0..<count))
        }
    }

    @Test(arguments: [1000, 4097, 70_000, 10_000_000])
    func anEpochVisitsEveryVideoOnce(count: Int) {
        let permutation = EpochPermutation(count: count, seed: 3, epoch: 5)
        var seen = [Bool](repeating: false, count: count)
        for position in 0..<count { seen[permutation[position]] = true }
        #expect(seen.allSatisfy { $0 })
    }

    @Test func hugeEpochsNeedNoMemory() {
        let permutation = EpochPermutation(count: 10_000_000_000, seed: 3, epoch: 1 << 33)
        let items = (0..<10_000).map { permutation[$0 * 999_999] }
        #expect(Set(items).count == items.count)
        #expect(items.allSatisfy { (0..<10_000_000_000).contains($0) })
    }

    @Test func ordersDifferBetweenEpochsAndSeeds() {
        func order(_ seed: UInt64, _ epoch: Int) -> [Int] { (0..<100).map { EpochPermutation(count: 100, seed: seed, epoch: epoch)[$0] } }
        #expect(Set([order(1, 0), order(1, 1), order(2, 0), order(1 << 32, 0), Array(0..<100)]).count == 5)
    }

    /// Every item is as likely as another at the first and at the last position.
    @Test func positionsAreFair() {
        for position in [0, 4] {
            var counts = [Int](repeating: 0, count: 5)
            for epoch in 0..<5000 { counts[EpochPermutation(count: 5, seed: 11, epoch: epoch)[position]] += 1 }
            for count in counts { #expect(abs(count - 1000) < 120) }
        }
    }

    /// How far counts are from equal ones: with `counts.count - 1` degrees of freedom where all are as likely.
    private func chiSquare(_ counts: [Int]) -> Double {
        let expected = Double(counts.reduce(0, +)) / Double(counts.count)
        return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    }

    /// Of three items, each order is as likely as another; of eight, each pair of items in the first two places. The limits are passed
    /// once in 10,000 by chance (5 and 55 degrees of freedom).
    @Test func ordersAreFair() {
        var orders: [[Int]: Int] = [:]
        var pairs: [[Int]: Int] = [:]
        for epoch in 0..<12_000 {
            let (three, eight) = (EpochPermutation(count: 3, seed: 7, epoch: epoch), EpochPermutation(count: 8, seed: 7, epoch: epoch))
            orders[(0..<3).map { three[$0] }, default: 0] += 1
            pairs[[eight[0], eight[1]], default: 0] += 1
        }
        #expect(orders.count == 6 && chiSquare(Array(orders.values)) < 25.74)
        #expect(pairs.count == 56 && chiSquare(Array(pairs.values)) < 104.5)
    }

    /// One epoch says nothing about the next: where the orders are independent, they agree at one position on average, whatever the count,
    /// and an item moves to any other place as likely.
    @Test func epochsAreIndependent() {
        let (count, epochs) = (1000, 400)
        var (agreements, moves) = (0, [Int](repeating: 0, count: 20))
        var before = [Int](repeating: 0, count: count)
        for epoch in 0...epochs {
            let permutation = EpochPermutation(count: count, seed: 9, epoch: epoch)
            var places = [Int](repeating: 0, count: count)
            for position in 0..<count { places[permutation[position]] = position }
            if epoch > 0 {
                agreements += (0..<count).filter { places[$0] == before[$0] }.count
                for item in stride(from: 0, to: count, by: 50) { moves[(places[item] - before[item] + count) % count * 20 / count] += 1 }
            }
            before = places
        }
        // A Poisson count of mean 400, and 19 degrees of freedom.
        #expect(abs(agreements - epochs) < 80)
        #expect(chiSquare(moves) < 50.8)
    }

    private func identity(seed: UInt64 = 5, _ change: (inout FramePairSampler) -> Void = { _ in }) -> PlanIdentity {
        PlanIdentity(manifestHash: "abc", seed: seed, sampler: AnySampler(FramePairSampler(change)))
    }

    private func plan(videos: Int, replicas: Int) -> SamplePlan {
        SamplePlan(identity: identity { $0.sampling.repeatedSampling = replicas }, videoCount: videos)
    }

    /// Batches of 7 cut the stream of 10 videos over the ends of epochs: nothing is dropped, repeated or padded.
    @Test func batchesRunOverTheEndsOfEpochs() {
        let plan = plan(videos: 10, replicas: 1)
        let batches = (0..<10).map { batch in (0..<7).map { plan.video(ofTicket: plan.ticket(ofSample: batch * 7 + $0), attempt: 0) } }
        let stream = batches.flatMap { $0 }
        for epoch in 0..<7 { #expect(stream[epoch * 10..<(epoch + 1) * 10].sorted() == Array(0..<10)) }
    }

    @Test func ticketsPassThroughAllVideosAgainAndAgain() {
        let plan = plan(videos: 10, replicas: 2)
        #expect(plan.ticket(ofSample: 7) == 3 && plan.replica(ofSample: 7) == 1)
        #expect(plan.samples(ofTicket: 3) == 6..<8)
        for pass in 0..<4 {
            let videos = (0..<10).map { plan.video(ofTicket: pass * 10 + $0, attempt: 0) }
            #expect(Set(videos).count == 10)
            #expect(videos[3] == EpochPermutation(count: 10, seed: 5, epoch: pass)[3])
        }
    }

    @Test func replacementsAvoidWhatFailed() {
        let plan = plan(videos: 6, replicas: 1)
        for ticket in 0..<200 {
            let tried = (0..<6).map { plan.video(ofTicket: ticket, attempt: $0) }
            #expect(Set(tried).count == 6, "ticket \(ticket) tries \(tried)")
        }
        #expect(plan.video(ofTicket: 0, attempt: 9) < 6)
        #expect(self.plan(videos: 1, replicas: 1).video(ofTicket: 4, attempt: 3) == 0)
    }

    @Test func plansAreToldApart() {
        let identity = identity()
        #expect(identity.difference(from: self.identity()) == nil)
        let other = self.identity(seed: 6) { $0.mask.ratio = 0.75 }
        #expect(identity.difference(from: other) == "seed (5, not 6), mask.ratio (0.95, not 0.75)")
        #expect(identity.fingerprint != other.fingerprint)

        let words = self.identity {
            $0.sampling.crops = .independent
            $0.sampling.frameGap = [1, 2]
            $0.mask.pattern = .grid
            $0.mask.frames = .symmetric
        }
        #expect(
            identity.difference(from: words)
                == "mask.frames (asymmetric, not symmetric), mask.pattern (random, not grid), sampling.crops (shared, not independent),"
                + " sampling.frameGap ([4, 48], not [1, 2])")
        #expect(identity.fingerprint != words.fingerprint)
    }
}
