import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct AffinityTests {
    struct Case: CustomTestStringConvertible {
        var height, width, dimension, k: Int
        /// Cells closer than this in both directions.
        var near = 3
        var frames: [(inside: Int, outside: Int)] = [(1, 0), (1, 0)]
        var testDescription: String { "\(height) x \(width) cells, \(dimension) numbers, the best \(k) of \(frames.count) frames" }
    }

    private static let cases = [
        Case(height: 1, width: 1, dimension: 1, k: 1),
        Case(height: 6, width: 9, dimension: 16, k: 5, frames: [(1, 0), (1, 0), (3, 1)]),
        Case(height: 13, width: 4, dimension: 7, k: 7, near: 5),
        Case(height: 5, width: 21, dimension: 33, k: 3, near: 1, frames: [(1, 0), (1, 1)]),
        Case(height: 4, width: 8, dimension: 8, k: 400, frames: [(2, 1), (1, 0)]),  // more than there are
        Case(height: 9, width: 17, dimension: 4, k: 2, near: 100, frames: [(0, 1), (1, 0)]),  // everything is near
    ]

    private func run(
        _ test: Case, _ queries: [Float], _ keys: [[Float]], ties: Int, _ backend: TestBackend, threads: Int = 2
    ) throws -> Matches {
        let tensors = try TestTensors(backend, threads: threads)
        let reach = (0..<test.height).map { $0 < test.near ? Int32(test.near - 1) : -1 }
        let cells = test.height * test.width
        func tensor(_ numbers: [Float]) -> Tensor { tensors.tensor(numbers, [cells, test.dimension]) }
        return tensors.backend.topKAffinity(
            tensor(queries), zip(keys, test.frames).map { ContextFrame(tensor($0), copies: $1) },
            neighbourhood: Neighbourhood(height: test.height, width: test.width, reach: reach), k: test.k, ties: ties)
    }

    private func expected(_ test: Case, _ queries: [Float], _ keys: [[Float]]) -> [[Reference.Match]] {
        Reference.topKAffinity(
            queries.doubles, zip(keys, test.frames).map { ($0.doubles, $1.inside, $1.outside) }, height: test.height, width: test.width,
            k: test.k, isNear: { $0 < test.near && $1 < test.near })
    }

    @Test(arguments: cases, TestBackend.devices) func theBestAreFound(_ test: Case, backend: TestBackend) throws {
        let count = test.height * test.width * test.dimension
        let queries = TestNumbers.normal(count, seed: 1)
        let keys = test.frames.indices.map { TestNumbers.normal(count, seed: 2 + UInt64($0)) }
        let found = try run(test, queries, keys, ties: 0, backend)
        for (cell, expected) in expected(test, queries, keys).enumerated() {
            let expected = expected.prefix(test.k)  // of copies only some may be among the best
            let first = cell * found.capacity
            #expect(Int(found.counts[cell]) == expected.count, "cell \(cell)")
            #expect(found.sources[first..<first + expected.count].map { Int($0) } == expected.map(\.source), "cell \(cell)")
            for (score, match) in zip(found.scores[first...], expected) { #expect(abs(Double(score) - match.score) < 1e-5) }
        }
    }

    /// Small whole numbers, so that products are exact and many are equal.
    @Test(arguments: TestBackend.devices) func equalsOfTheLastAreKeptAsFarAsThereIsRoom(backend: TestBackend) throws {
        let test = Case(height: 6, width: 9, dimension: 3, k: 4, frames: [(1, 0), (2, 1)])
        let count = test.height * test.width * test.dimension
        let numbers = (0..<3).map { TestNumbers.normal(count, seed: 10 + $0).map { ($0).rounded() } }
        let expected = expected(test, numbers[0], Array(numbers[1...]))
        let most = expected.map(\.count).max()!
        #expect(most > test.k + 10)
        for ties in [0, 5, most] {
            let found = try run(test, numbers[0], Array(numbers[1...]), ties: ties, backend)
            for (cell, expected) in expected.enumerated() {
                let range = cell * found.capacity..<cell * found.capacity + Int(found.counts[cell])
                #expect(range.count == min(expected.count, test.k + ties), "cell \(cell), \(ties) ties")
                #expect(found.scores[range].map { Double($0) } == expected.prefix(range.count).map(\.score))
                guard ties == most else { continue }
                #expect(found.sources[range].map { Int($0) }.sorted() == expected.map(\.source).sorted())
            }
        }
    }

    @Test func threadsDoNotMatter() throws {
        let test = Self.cases[1]
        let count = test.height * test.width * test.dimension
        let queries = TestNumbers.normal(count, seed: 1)
        let keys = test.frames.indices.map { TestNumbers.normal(count, seed: 2 + UInt64($0)) }
        let one = try run(test, queries, keys, ties: 0, .cpu, threads: 1)
        let three = try run(test, queries, keys, ties: 0, .cpu, threads: 3)
        #expect(one.scores == three.scores && one.sources == three.sources && one.counts == three.counts)
    }

    /// What is not a number is like nothing.
    @Test(arguments: TestBackend.devices) func nothingMatchesNaN(backend: TestBackend) throws {
        let test = Case(height: 1, width: 2, dimension: 1, k: 3)
        let found = try run(test, [.nan, 1], [[.nan, 2], [3, 4]], ties: 0, backend)
        #expect(found.counts == [0, 3])
        #expect(found.scores[3..<6] == [4, 3, 2])
    }

    @Test(arguments: TestBackend.devices) func rowsAreBroughtToUnitLength(backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let output = test.undefined([3, 2])
        test.backend.unitRows(output, test.tensor([3, -4, 0, 0, 1e-20, 0], [3, 2]), gains: nil)
        // Next to nothing is divided by 1e-12, as PyTorch's normalize does, and 1e-20 squared is no number of this precision.
        #expect(zip(test.numbers(output), [0.6, -0.8, 0, 0, 1e-8, 0] as [Float]).allSatisfy { abs($0 - $1) <= 1e-7 * abs($1) })
    }
}
