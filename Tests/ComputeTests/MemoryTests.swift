import Compute
import TestBackends
import TestSupport
import Testing

/// What goes to a device comes back from it.
@Suite struct MemoryTests {
    @Test(arguments: [0, 1, 7, 100_003], TestBackend.devices) func bytesComeBack(count: Int, backend: TestBackend) throws {
        let backend = try backend.open()
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) }
        let array = backend.array(of: UInt8.self, count: count), other = backend.array(of: UInt8.self, count: count)
        backend.upload(array, from: bytes)
        backend.copy(other, array)
        backend.upload(array, from: bytes.map { ~$0 })
        backend.synchronize()
        #expect(backend.download(other) == bytes)
        #expect(backend.download(array) == bytes.map { ~$0 })
    }

    @Test(arguments: Path.devices) func tensorsAreCopied(path: Path) throws {
        let test = try TestTensors(path.backend)
        let source = test.normal([7, 5], seed: 1, path.precision), target = test.undefined([5, 7], path.precision)
        test.backend.copy(target, source)
        #expect(test.numbers(target) == test.numbers(source))
    }

    /// Only the part that was named changes.
    @Test(arguments: TestBackend.devices) func partsAreParts(backend: TestBackend) throws {
        let backend = try backend.open()
        let array = backend.array(of: Double.self, count: 5)
        #expect(backend.download(array) == [0, 0, 0, 0, 0], "memory of its own begins with zeros")
        backend.upload(array, from: [1, 2, 3, 4, 5])
        backend.upload(array.elements(1..<3), from: [-2, -3])
        backend.copy(array.elements(4..<5).bytes, array.elements(0..<1).bytes)
        #expect(backend.download(array) == [1, -2, -3, 4, 1])
        #expect(backend.download(array.elements(2..<4)) == [-3, 4])

        let tensor = backend.tensor([3, 2])
        backend.upload(tensor, from: [1, 2, 3, 4, 5, 6])
        backend.fill(tensor.elements(1..<4), 9)
        #expect(backend.download(tensor) == [1, 9, 9, 9, 5, 6])
        #expect(backend.download(tensor.elements(3..<5)) == [9, 5])
    }

    @Test(arguments: TestBackend.devices) func indicesAreUploaded(backend: TestBackend) throws {
        let arena = Arena(backend: try backend.open())
        let indices = arena.indices([3, -1, .max])
        #expect(arena.backend.download(indices) == [3, -1, .max])
    }
}
