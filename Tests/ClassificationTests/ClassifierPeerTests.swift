import Classification
import Compute
import Foundation
import TestBackends
import TestSupport
import Testing

/// Nearest neighbours and the linear probe beside PyTorch, on the same features in the same order.
@Suite(.enabled(if: Peers.python != nil, "\(Peers.absence)"), .timeLimit(.minutes(30)))
struct ClassifierPeerTests {
    private struct Problem: Encodable {
        let train: String, val: String
        let trainLabels: [Int], classes: Int, k: Int, temperature: Double
        let weight: [Float], batches: [[Int]]
        let batch: Int, stepsOfEpoch: Int, epochs: Int, warmUpEpochs: Int, baseRate: Double
    }

    private struct Answer: Decodable {
        let losses: [Double], weight: [Double], bias: [Double]
        let probe: [[Int]], neighbours: [[Int]]
    }

    /// Batches that cut a set in three and leave some out, and one that is the set.
    @Test(arguments: [32, 200]) func theyAgreeWithPyTorch(batch: Int) throws {
        let (width, classes) = (24, 7)
        let folder = try TemporaryFolder()
        let training = try ClassFeatures.make(110, width: width, classes: classes, seed: 1, at: folder.file("train.npy"))
        let validation = try ClassFeatures.make(60, width: width, classes: classes, seed: 2, at: folder.file("val.npy"))
        let backend = try TestBackend.cpu.open()
        var settings = LinearProbe.Settings()
        (settings.batch, settings.epochs, settings.warmUpEpochs, settings.minimumStepsOfEpoch) = (batch, 20, 4, 2)
        // The trust ratio makes steps small; a higher rate shows more of what they do.
        settings.baseRate = 40
        var probe = LinearProbe(width: width, classes: classes, settings: settings, backend: backend)
        let size = min(batch, training.count)
        let stepsOfEpoch = max(2, training.count / size)
        let problem = Problem(
            train: folder.file("train.npy"), val: folder.file("val.npy"), trainLabels: training.labels, classes: classes, k: 20,
            temperature: 0.07, weight: probe.weight,
            batches: (0..<stepsOfEpoch * 20).map { LinearProbe.batch($0, size: size, of: training.count, seed: 0) }, batch: batch,
            stepsOfEpoch: stepsOfEpoch, epochs: 20, warmUpEpochs: 4, baseRate: settings.baseRate)
        try JSONEncoder().encode(problem).write(to: URL(fileURLWithPath: folder.file("problem.json")))
        try Peers.run(
            Programs.package + "/Tests/Fixtures/Classification/peer.py", [folder.file("problem.json"), folder.file("answer.json")])
        let answer = try JSONDecoder().decode(Answer.self, from: Data(contentsOf: URL(fileURLWithPath: folder.file("answer.json"))))

        var losses: [Float] = []
        try probe.train(on: training) { losses.append(Float($2)) }
        #expect(TestNumbers.relativeError(losses, answer.losses) < 1e-5)
        #expect(TestNumbers.relativeError(probe.weight, answer.weight) < 1e-4)
        #expect(TestNumbers.relativeError(probe.bias, answer.bias) < 1e-4)
        #expect(answer.losses.last! < 0.95 * answer.losses[0], "the probe learns")
        #expect(probe.classify(validation).ranked == answer.probe)
        let neighbours = NearestNeighbours().classify(validation, by: training, classes: classes, backend: backend) { _ in }
        #expect(neighbours.ranked == answer.neighbours)
    }
}
