import Compute
import ComputeCPU
import Testing

@Suite struct ArenaTests {
    @Test func memoryIsUsedAgain() throws {
        let arena = Arena(backend: try CPUBackend(threads: 1))
        var first: Tensor? = arena.tensor([1000])
        let kept = arena.tensor([1000])
        let place = first!.pointer
        first = nil
        let again = arena.tensor([10, 100])
        #expect(again.pointer == place)
        #expect(again.pointer != kept.pointer)
    }

    @Test func viewsKeepMemoryAlive() throws {
        let arena = Arena(backend: try CPUBackend(threads: 1))
        let other = arena.tensor([8])
        let view = arena.tensor([4, 8]).rows(1..<3).reshaped([16])
        let next = arena.tensor([4, 8])
        #expect(view.shape == [16])
        #expect(next.pointer != view.pointer - 8)
        _ = other
    }

    @Test func everyStepStartsOver() throws {
        let arena = Arena(backend: try CPUBackend(threads: 1))
        func places() -> [UnsafeMutablePointer<Float>] {
            let tensors = (1...50).map { arena.tensor([$0 * 100_000]) }
            return tensors.map(\.pointer)
        }
        let (first, capacity) = (places(), arena.capacityInBytes)
        #expect(places() == first)
        #expect(arena.capacityInBytes == capacity)
        #expect(Set(first).count == 50)
    }
}
