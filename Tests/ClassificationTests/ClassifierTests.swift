import Classification
import Foundation
import TestBackends
import TestSupport
import Testing

/// Nearest neighbours and the probe on features whose answer is known.
@Suite struct ClassifierTests {
    /// By hand: of three neighbours two of class 0 at a right angle weigh 2 · exp(0), one of class 1 in the same direction exp(1 / 0.07).
    @Test(arguments: TestBackend.all) func nearNeighboursWeighMore(backend: TestBackend) throws {
        let training = try ClassFeatures.make([0, 2, 0, 5, 3, 0], labels: [0, 0, 1])
        let query = try ClassFeatures.make([1, 0], labels: [1])
        var neighbours = NearestNeighbours()
        func ranked() throws -> [[Int]] {
            neighbours.classify(query, by: training, classes: 3, backend: try backend.open()) { _ in }.ranked
        }
        #expect(try ranked() == [[1, 0, 2]])
        // At so high a temperature votes are counted, and two are more than one.
        neighbours.temperature = 1e6
        #expect(try ranked() == [[0, 1, 2]])
        neighbours.k = 1
        #expect(try ranked() == [[1, 0, 2]])
    }

    /// More examples than a block holds are classified as by sorting all similarities.
    @Test func blocksOfExamplesMakeNoDifference() throws {
        let (width, classes, k) = (8, 10, 20)
        let training = try ClassFeatures.make(9000, width: width, classes: classes, seed: 3)
        let queries = try ClassFeatures.make(1100, width: width, classes: classes, seed: 4)
        func unit(_ features: Features) -> [[Double]] {
            let values = features.gather(0..<features.count)
            return (0..<features.count).map { row in
                let row = values[row * width..<(row + 1) * width].map { Double($0) }
                let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return row.map { $0 / length }
            }
        }
        let (ours, theirs) = (unit(queries), unit(training))
        let predicted = NearestNeighbours().classify(queries, by: training, classes: classes, backend: try TestBackend.cpu.open()) { _ in }
        // Of every tenth query; rounding may exchange classes of nearly equal votes.
        var different = 0
        for query in stride(from: 0, to: queries.count, by: 10) {
            let similarities = theirs.map { row in zip(row, ours[query]).reduce(0) { $0 + $1.0 * $1.1 } }
            var votes = [Double](repeating: 0, count: classes)
            for example in similarities.indices.sorted(by: { similarities[$0] > similarities[$1] }).prefix(k) {
                votes[training.labels[example]] += exp(similarities[example] / 0.07)
            }
            if predicted.ranked[query][0] != votes.indices.max(by: { votes[$0] < votes[$1] }) { different += 1 }
        }
        #expect(different <= 1)
    }

    @Test func theProbeIsTheSameForAnyNumberOfThreads() throws {
        let training = try ClassFeatures.make(300, width: 40, classes: 6, seed: 5)
        let weights = try [1, 2, 3].map { threads in
            var probe = LinearProbe(width: 40, classes: 6, backend: try TestBackend.cpu.open(threads: threads))
            try probe.train(on: training) { _, _, _ in }
            return probe.weight
        }
        #expect(weights[0] == weights[1] && weights[0] == weights[2])
    }

    /// A hundred examples, far fewer than ImageNet's 78 batches, are learnt all the same.
    @Test func aSmallSetIsLearnt() throws {
        let (training, validation) = try (
            ClassFeatures.make(100, width: 40, classes: 6, seed: 6), ClassFeatures.make(200, width: 40, classes: 6, seed: 7)
        )
        var probe = LinearProbe(width: 40, classes: 6, backend: try TestBackend.cpu.open())
        try probe.train(on: training) { _, _, _ in }
        let (before, after) = (
            LinearProbe(width: 40, classes: 6, backend: try TestBackend.cpu.open()).classify(validation), probe.classify(validation)
        )
        #expect(before.accuracy(top: 1, labels: validation.labels) < 0.5)
        #expect(after.accuracy(top: 1, labels: validation.labels) > 0.9)
        #expect(after.accuracy(top: 5, labels: validation.labels) >= after.accuracy(top: 1, labels: validation.labels))
    }

    /// A set that is told apart ends the training before its weights grow without end.
    @Test func trainingEndsWhereNothingIsLeftToLearn() throws {
        let training = try ClassFeatures.make([0, 1, 0, 1.1, 5, 5, 5, 5.1], labels: [0, 0, 1, 1])
        var probe = LinearProbe(width: 2, classes: 2, backend: try TestBackend.cpu.open())
        var steps: [(done: Int, of: Int)] = []
        try probe.train(on: training) { done, total, _ in steps.append((done, total)) }
        #expect(steps[0].of == 900 && steps.count < 900)
        #expect(probe.weight.allSatisfy { abs($0) < 1e6 })
        #expect(probe.classify(training).accuracy(top: 1, labels: training.labels) == 1)
    }

    @Test func whatCannotBeLearntFromIsRefused() throws {
        var probe = LinearProbe(width: 2, classes: 2, backend: try TestBackend.cpu.open())
        let one = try ClassFeatures.make([1, 2], labels: [0])
        #expect(throws: (any Error).self) { try probe.train(on: one) { _, _, _ in } }
        let infinite = try ClassFeatures.make([1, 2, 3, .infinity], labels: [0, 1])
        #expect(throws: (any Error).self) { try probe.train(on: infinite) { _, _, _ in } }
    }

    @Test func equalScoresGoToTheLowerClass() {
        var predictions = Predictions()
        predictions.add(scores: [1, 3, 3, 0, 0, 2, 0])
        #expect(predictions.ranked == [[1, 2, 5, 0, 3]])
        #expect(predictions.accuracy(top: 1, labels: [2]) == 0)
        #expect(predictions.accuracy(top: 2, labels: [2]) == 1)
    }
}
