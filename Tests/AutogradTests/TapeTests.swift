import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

/// What a tape asks an arena for depends on no device: a plan shows it.
@Suite struct TapeTests {
    private func layer(_ width: Int, backend: any Backend) -> (weight: Parameter, bias: Parameter, store: ParameterStore) {
        let store = ParameterStore([("weight", [width, width]), ("bias", [width])], backend: backend)
        return (store.parameter("weight"), store.parameter("bias"), store)
    }

    @Test func backwardFreesWhatForwardKept() {
        let arena = Arena(backend: PlanningBackend())
        let (weight, bias, store) = layer(256, backend: arena.backend)
        func step() {
            let tape = Tape(arena: arena, isRecording: true)
            var x = Variable(arena.tensor([Float](repeating: 1, count: 1000 * 256), [1000, 256]))
            for _ in 0..<100 { x = tape.linear(x, weight: weight, bias: bias) }
            x.accumulate(arena.tensor([Float](repeating: 1, count: 1000 * 256), [1000, 256]), tape)
            tape.backward()
        }
        step()
        let capacity = arena.capacityInBytes
        step()
        #expect(arena.capacityInBytes == capacity, "a second step takes no more memory")
        // A hundred outputs of a megabyte are kept; their gradients are not all there at a time.
        #expect(capacity < 160 << 20)
        _ = store
    }

    @Test func inferenceKeepsNoActivations() {
        let arena = Arena(backend: PlanningBackend())
        let (weight, bias, store) = layer(1024, backend: arena.backend)
        let tape = Tape(arena: arena, isRecording: false)
        var x = Variable(arena.tensor([Float](repeating: 1, count: 1 << 20), [1024, 1024]))
        // Forty outputs of 4 MiB in a chunk of 64.
        for _ in 0..<40 { x = tape.linear(x, weight: weight, bias: bias) }
        #expect(arena.capacityInBytes == 64 << 20)
        _ = (x, store)
    }

    @Test func aTapeThatNeverRanBackwardsGoes() {
        let arena = Arena(backend: PlanningBackend())
        let (weight, bias, _) = layer(4, backend: arena.backend)
        weak var forgotten: Tape?
        do {
            let tape = Tape(arena: arena, isRecording: true)
            _ = tape.linear(Variable(arena.tensor([1, 2, 3, 4], [1, 4])), weight: weight, bias: bias)
            forgotten = tape
        }
        #expect(forgotten == nil)
    }
}
