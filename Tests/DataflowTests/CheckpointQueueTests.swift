import Dataflow
import Testing

struct CheckpointQueueTests {
    @Test func oldestFirstAndOneEvaluatorEach() {
        var queue = CheckpointQueue(timeout: 60)
        #expect(queue.next(for: 1, now: 0) == nil)
        for step in [200, 100, 100] { queue.announce(step) }
        #expect(queue.next(for: 1, now: 0) == 100)
        #expect(queue.next(for: 2, now: 0) == 200)
        #expect(queue.next(for: 3, now: 0) == nil)
        #expect(queue.pending == [100, 200])
    }

    @Test func anEvaluatorThatAsksAgainGetsTheSame() {
        var queue = CheckpointQueue(timeout: 60)
        queue.announce(100)
        queue.announce(200)
        #expect(queue.next(for: 1, now: 0) == 100)
        #expect(queue.next(for: 1, now: 1) == 100)
    }

    @Test func aSilentEvaluatorsCheckpointGoesToAnother() {
        var queue = CheckpointQueue(timeout: 60)
        queue.announce(100)
        #expect(queue.next(for: 1, now: 0) == 100)
        queue.working(1, on: 100, now: 50)
        queue.working(2, on: 100, now: 105)
        #expect(queue.next(for: 2, now: 110) == nil)
        #expect(queue.next(for: 2, now: 111) == 100)
        // Both finish: the first answer counts, the second does nothing.
        #expect(queue.complete(100) == true)
        #expect(queue.complete(100) == false)
        #expect(queue.pending == [])
    }

    @Test func whatOneFailsAtGoesToAnotherAfterARest() {
        var queue = CheckpointQueue(timeout: 60)
        queue.announce(100)
        #expect(queue.next(for: 1, now: 0) == 100)
        #expect(queue.fail(2, at: 100, now: 0) == nil, "another's")
        #expect(queue.fail(1, at: 100, now: 0) == false)
        #expect(queue.next(for: 2, now: 9) == nil)
        #expect(queue.next(for: 2, now: 10) == 100)
        #expect(queue.fail(1, at: 100, now: 10) == nil, "no longer its own")
        #expect(queue.fail(2, at: 100, now: 11) == false)
        #expect(queue.next(for: 3, now: 70) == nil)
        #expect(queue.next(for: 3, now: 71) == 100)
        #expect(queue.pending == [100])
        #expect(queue.fail(3, at: 100, now: 72) == true)
        #expect(queue.pending == [] && queue.fail(3, at: 100, now: 73) == nil)
    }

    /// With one evaluator too a checkpoint comes to its three failures, and none of them ends the evaluation of the others.
    @Test func oneEvaluatorAloneFailsThreeTimes() {
        var queue = CheckpointQueue(timeout: 60)
        for step in [100, 200] { queue.announce(step) }
        #expect(queue.next(for: 1, now: 0) == 100)
        #expect(queue.fail(1, at: 100, now: 1) == false)
        #expect(queue.isWorthWaiting(now: 1), "it is still there")
        #expect(queue.next(for: 1, now: 2) == 200)
        #expect(queue.complete(200) == true)
        #expect(queue.next(for: 1, now: 10) == nil)
        #expect(queue.next(for: 1, now: 11) == 100)
        #expect(queue.fail(1, at: 100, now: 12) == false)
        for second in 13..<72 { #expect(queue.next(for: 1, now: Double(second)) == nil) }
        #expect(queue.next(for: 1, now: 72) == 100)
        #expect(queue.fail(1, at: 100, now: 73) == true)
        #expect(queue.pending == [])
    }

    /// One whose disk is away fails at once at all that it gets; the others, busy for long, get their turn at each.
    @Test func whatOneFailsAtWaitsForOthersThatAreBusy() {
        var queue = CheckpointQueue(timeout: 60)
        for step in [100, 200] { queue.announce(step) }
        #expect(queue.next(for: 1, now: 0) == 100)
        #expect(queue.next(for: 2, now: 0) == 200)
        #expect(queue.fail(2, at: 200, now: 1) == false)
        for second in 2..<1000 {
            queue.working(1, on: 100, now: Double(second))
            #expect(queue.next(for: 2, now: Double(second)) == nil)
        }
        #expect(queue.complete(100) == true)
        #expect(queue.next(for: 1, now: 1000) == 200)
        // Alone again it may try once more.
        #expect(queue.fail(1, at: 200, now: 1001) == false)
        #expect(queue.next(for: 2, now: 1062) == 200)
    }

    /// A checkpoint that kills its evaluators is given up as well: each comes back as another one.
    @Test func threeSilencesGiveACheckpointUp() {
        var queue = CheckpointQueue(timeout: 60)
        queue.announce(100)
        var now = 0.0
        for evaluator in 1...3 as ClosedRange<UInt64> {
            #expect(queue.next(for: evaluator, now: now) == 100)
            #expect(queue.next(for: 9 + evaluator, now: now + 60) == nil)
            now += 61
        }
        let silences = queue.takeSilences()
        #expect(silences.map(\.step) == [100, 100] && silences.allSatisfy { !$0.isGivenUp })
        #expect(queue.next(for: 4, now: now) == nil)
        let last = queue.takeSilences()
        #expect(last.map(\.isGivenUp) == [true])
        #expect(queue.pending == [])
        // The last of them was only slow: its scores are the first.
        #expect(queue.complete(100) == true)
        #expect(queue.complete(100) == false)
    }

    @Test func scoresOfStepsThatWereNotOfferedAreNotTaken() {
        var queue = CheckpointQueue(timeout: 60)
        queue.announce(100)
        #expect(queue.complete(99) == false)
        #expect(!queue.isKnown(99) && queue.isKnown(100))
        #expect(queue.pending == [100])
    }

    /// After a restart of the trainer an evaluator works on, and nobody else is given its checkpoint.
    @Test func whoIsAtWorkHasItsCheckpoint() {
        var queue = CheckpointQueue(timeout: 60)
        queue.announce(100)
        queue.working(1, on: 100, now: 5)
        #expect(queue.next(for: 2, now: 6) == nil)
        #expect(queue.isWorthWaiting(now: 65))
        #expect(queue.next(for: 2, now: 66) == 100)
    }

    @Test func onlyWhatIsInNobodysWorkWaits() {
        var queue = CheckpointQueue(timeout: 60)
        for step in [100, 200, 300] { queue.announce(step) }
        #expect(queue.next(for: 1, now: 0) == 100)
        #expect(queue.waiting == [200, 300])
        queue.giveUp(200)
        #expect(queue.pending == [100, 300])
        queue.announce(200)
        #expect(queue.pending == [100, 300], "once is enough")
    }

    /// A peer that makes up names takes no memory and no checkpoint from the others.
    @Test func moreEvaluatorsThanThereCanBeGetNothing() {
        var queue = CheckpointQueue(timeout: 60)
        for name in 1...4096 as ClosedRange<UInt64> { #expect(queue.next(for: name, now: 0) == nil) }
        queue.announce(100)
        #expect(queue.next(for: 5000, now: 1) == nil)
        #expect(queue.next(for: 1, now: 1) == 100)
        // Those that are silent make room.
        #expect(queue.complete(100) == true)
        queue.announce(200)
        #expect(queue.next(for: 5000, now: 61) == 200)
    }

    @Test func noneIsGivenUpHoweverManyWait() {
        var queue = CheckpointQueue(timeout: 60)
        for step in 1...100 { queue.announce(step) }
        for step in 1...100 {
            #expect(queue.next(for: 1, now: 0) == step)
            #expect(queue.complete(step) == true)
        }
        #expect(queue.pending == [])
    }

    @Test func waitingIsWorthItWhileSomebodyWorks() {
        var queue = CheckpointQueue(timeout: 60)
        queue.announce(100)
        #expect(!queue.isWorthWaiting(now: 0))
        _ = queue.next(for: 1, now: 0)
        #expect(queue.isWorthWaiting(now: 60))
        #expect(!queue.isWorthWaiting(now: 61))
        queue.working(1, on: 100, now: 70)
        #expect(queue.isWorthWaiting(now: 71))
        // Without work left, an evaluator is about to ask again; once told to go it counts no more.
        #expect(queue.complete(100) == true)
        #expect(queue.isWorthWaiting(now: 72))
        #expect(!queue.isWorthWaiting(now: 80))
        #expect(queue.next(for: 1, now: 81) == nil)
        queue.dismiss(1)
        #expect(!queue.isWorthWaiting(now: 81))
    }
}
