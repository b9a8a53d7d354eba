import Compute
import TestBackends
import Testing

@Suite struct ArenaTests {
    private let arena = Arena(backend: PlanningBackend())

    @Test func memoryIsUsedAgain() {
        var first: Tensor? = arena.tensor([1000])
        let kept = arena.tensor([1000])
        let place = first!.address
        first = nil
        let again = arena.tensor([10, 100])
        #expect(again.address == place)
        #expect(again.address != kept.address)
    }

    @Test func viewsKeepMemoryAlive() {
        let other = arena.tensor([8])
        let view = arena.tensor([4, 8]).rows(1..<3).reshaped([16]).elements(4..<12)
        let next = arena.tensor([4, 8])
        #expect(view.shape == [8])
        #expect(next.address != view.address - 12 * 4)
        _ = other
    }

    @Test func arraysAreViewsToo() {
        let view = arena.array(of: Double.self, count: 6).elements(2..<5)
        #expect(view.count == 3 && view.bytes.count == 24)
        let next = arena.array(of: UInt8.self, count: 48)
        #expect(next.address != view.address - 16)
        #expect(next.elements(3..<4).address == next.address + 3)
    }

    @Test func everyStepStartsOver() {
        func places() -> [UnsafeMutableRawPointer] {
            let tensors = (1...50).map { arena.tensor([$0 * 100_000]) }
            return tensors.map(\.address)
        }
        let (first, capacity) = (places(), arena.capacityInBytes)
        #expect(places() == first)
        #expect(arena.capacityInBytes == capacity)
        #expect(Set(first).count == 50)
    }
}
