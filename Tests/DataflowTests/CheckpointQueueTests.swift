import Dataflow
import Testing

struct CheckpointQueueTests {
    @Test func oldestFirstAndOneEvaluatorEach() {
        var queue = CheckpointQueue(patience: 60)
        #expect(queue.next(for: 1, now: 0) == nil)
        for step in [200, 100, 100] { queue.announce(step) }
        #expect(queue.next(for: 1, now: 0) == 100)
        #expect(queue.next(for: 2, now: 0) == 200)
        #expect(queue.next(for: 3, now: 0) == nil)
        #expect(queue.pending == [100, 200])
    }

    @Test func anEvaluatorThatAsksAgainGetsTheSame() {
        var queue = CheckpointQueue(patience: 60)
        queue.announce(100)
        queue.announce(200)
        #expect(queue.next(for: 1, now: 0) == 100)
        #expect(queue.next(for: 1, now: 1) == 100)
    }

    @Test func aSilentEvaluatorsCheckpointGoesToAnother() {
        var queue = CheckpointQueue(patience: 60)
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

    @Test func whatOneFailsAtGoesToAnother() {
        var queue = CheckpointQueue(patience: 60)
        queue.announce(100)
        #expect(queue.next(for: 1, now: 0) == 100)
        #expect(queue.fail(1, at: 100) == false)
        // Nobody is left who could do it.
        #expect(!queue.isWorthWaiting(now: 0))
        #expect(queue.next(for: 2, now: 1) == 100)
        #expect(queue.fail(2, at: 100) == false)
        #expect(queue.next(for: 3, now: 2) == 100)
        #expect(queue.fail(3, at: 100) == true)
        #expect(queue.pending == [] && queue.fail(3, at: 100) == nil)
    }

    @Test func noneIsGivenUpHoweverManyWait() {
        var queue = CheckpointQueue(patience: 60)
        for step in 1...100 { queue.announce(step) }
        for step in 1...100 {
            #expect(queue.next(for: 1, now: 0) == step)
            #expect(queue.complete(step) == true)
        }
        #expect(queue.pending == [])
    }

    @Test func waitingIsWorthItWhileSomebodyWorks() {
        var queue = CheckpointQueue(patience: 60)
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
