import Sampling
import Testing

@Suite struct SamplePlanTests {
    @Test(arguments: [1, 2, 3, 4, 5, 16, 17, 255, 256, 1000, 4097, 70_000])
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

    private func plan(videos: Int, replicas: Int) -> SamplePlan {
        SamplePlan(
            identity: PlanIdentity(manifestHash: "abc", seed: 5, recipe: Recipe(repeatedSampling: replicas)), videoCount: videos)
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
        let identity = PlanIdentity(manifestHash: "abc", seed: 5, recipe: Recipe())
        var other = identity
        #expect(identity.difference(from: other) == nil)
        other.seed = 6
        other.recipe.maskRatio = 0.75
        #expect(identity.difference(from: other) == "seed (5, not 6), mask ratio (0.95, not 0.75)")
        #expect(identity.fingerprint != other.fingerprint)

        var words = identity
        words.recipe.crops = .independent
        words.recipe.maskPattern = .grid
        words.recipe.maskedFrames = .symmetric
        #expect(
            identity.difference(from: words)
                == "crops (shared, not independent), mask pattern (random, not grid), masked frames (asymmetric, not symmetric)")
        #expect(identity.fingerprint != words.fingerprint)
    }
}
