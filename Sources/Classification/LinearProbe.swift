import Base
import Compute
import Foundation
import Sampling
import Training

/// A linear classifier on frozen features: batch normalisation without weights, then a linear layer, trained by LARS on the mean cross entropy.
///
/// Source: facebookresearch/mae: main_linprobe.py, without its augmentation, for the features are computed once.
public struct LinearProbe {
    /// How it is trained; the defaults are MAE's.
    public struct Settings: Sendable {
        public var epochs = 90
        public var warmUpEpochs = 10
        /// Examples a step at most. The peak of the learning rate is ``baseRate`` · batch / 256, also where there are fewer examples: then each
        /// step sees all of them, and its gradient has no noise that would want a lower rate.
        public var batch = 16_384
        public var baseRate = 0.1
        /// Steps of an epoch at least. ImageNet has 78 an epoch; a set of fewer than ten batches is gone through several times, for 90 steps in
        /// all would leave it half learnt.
        public var minimumStepsOfEpoch = 10
        /// The loss at which nothing is left to learn and training ends. By the trust ratio each step moves the weights by a share of
        /// themselves, however small the gradient has become, and of a set that is told apart already they would grow without end.
        public var finalLoss = 1e-6
        public var momentum: Float = 0.9
        public var trustCoefficient: Float = 0.001
        public var epsilon: Float = 1e-6
        /// Of the first weights and of the order of the examples.
        public var seed: UInt64 = 0

        public init() {}
    }

    public let settings: Settings
    /// The weights of the linear layer: `[classes, width]`.
    public internal(set) var weight: [Float]
    /// Its biases: `[classes]`.
    public private(set) var bias: [Float]
    private var norm: FrozenBatchNorm
    private let width: Int
    private let classes: Int
    private let backend: any Backend

    /// A probe that has learnt nothing: weights are normal with a deviation of 0.01, biases zero.
    public init(width: Int, classes: Int, settings: Settings = Settings(), backend: any Backend) {
        (self.width, self.classes, self.settings, self.backend) = (width, classes, settings, backend)
        var numbers = SplitMix64(seed: SplitMix64.scramble(settings.seed))
        weight = (0..<classes * width).map { _ in Float(numbers.nextNormal(standardDeviation: 0.01)) }
        bias = Array(repeating: 0, count: classes)
        norm = FrozenBatchNorm(width: width, epsilon: settings.epsilon)
    }

    /// Trains on examples, at least two.
    ///
    /// - Parameter stepDone: called after each step with the number of steps done, of all, and the step's loss.
    /// - Throws: where the loss is not finite.
    public mutating func train(on features: Features, stepDone: (Int, Int, Double) throws -> Void) throws {
        guard features.count > 1 else { throw Failure("a linear probe wants two examples or more to learn from, not \(features.count)") }
        let size = min(settings.batch, features.count)
        let stepsOfEpoch = max(features.count / size, settings.minimumStepsOfEpoch)
        let steps = settings.epochs * stepsOfEpoch
        let rates = LearningRateSchedule(
            peak: settings.baseRate * Double(settings.batch) / 256, warmUpSamples: settings.warmUpEpochs * stepsOfEpoch * size,
            totalSamples: steps * size)
        var matrix = LARS(
            count: weight.count, isMatrix: true, momentum: settings.momentum, trustCoefficient: settings.trustCoefficient)
        var vector = LARS(count: bias.count, isMatrix: false, momentum: settings.momentum, trustCoefficient: settings.trustCoefficient)
        let layer = DeviceLayer(rows: size, width: width, classes: classes, backend)
        var (labels, statistics): ([Int], FrozenBatchNorm.Statistics?) = ([], nil)
        for step in 0..<steps {
            // The last examples of a pass that fill no batch are left out, as there. A batch of all examples stays as it is.
            if size < features.count || step == 0 {
                let examples = Self.batch(step, size: size, of: features.count, seed: settings.seed)
                var batch = features.gather(examples)
                statistics = norm.statistics(of: batch)
                norm.apply(to: &batch, statistics)
                labels = examples.map { features.labels[$0] }
                layer.load(batch)
            }
            norm.follow(statistics!)
            let (loss, dWeight, dBias) = layer.gradients(weight, bias, labels: labels)
            guard loss.isFinite else {
                throw Failure("the linear probe's loss is not finite after \(step) steps; the features are unusable")
            }
            if loss < settings.finalLoss { break }
            let rate = Float(rates.rate(atSample: step * size))
            matrix.update(&weight, gradient: dWeight, rate: rate)
            vector.update(&bias, gradient: dBias, rate: rate)
            try stepDone(step + 1, steps, loss)
        }
    }

    /// The examples of a step.
    package static func batch(_ step: Int, size: Int, of count: Int, seed: UInt64) -> [Int] {
        guard size < count else { return Array(0..<count) }
        let order = EpochPermutation(count: count, seed: seed, epoch: step / (count / size))
        let first = step % (count / size) * size
        return (first..<first + size).map { order[$0] }
    }

    /// The classes of examples, by the running averages of the normalisation.
    public func classify(_ features: Features) -> Predictions {
        let layer = DeviceLayer(rows: min(1024, features.count), width: width, classes: classes, backend)
        var predictions = Predictions()
        for first in stride(from: 0, to: features.count, by: layer.rows) {
            var batch = features.gather(first..<min(first + layer.rows, features.count))
            norm.apply(to: &batch)
            let scores = layer.scores(of: batch, weight, bias)
            for row in 0..<batch.count / width { predictions.add(scores: scores[row * classes..<(row + 1) * classes]) }
        }
        return predictions
    }
}

/// The linear layer in the memory of a device.
private struct DeviceLayer {
    let rows: Int
    private let input: Tensor
    private let output: Tensor
    private let (weight, bias): (Tensor, Tensor)
    private let (dWeight, dBias): (Tensor, Tensor)
    private let backend: any Backend

    init(rows: Int, width: Int, classes: Int, _ backend: any Backend) {
        (self.rows, self.backend) = (rows, backend)
        input = backend.tensor([rows, width])
        output = backend.tensor([rows, classes])
        (weight, dWeight) = (backend.tensor([classes, width]), backend.tensor([classes, width]))
        (bias, dBias) = (backend.tensor([classes]), backend.tensor([classes]))
    }

    func load(_ batch: [Float]) { backend.upload(input, from: batch) }

    /// The mean cross entropy of the loaded batch, and its gradients.
    func gradients(_ weight: [Float], _ bias: [Float], labels: [Int]) -> (loss: Double, dWeight: [Float], dBias: [Float]) {
        var scores = forward(weight, bias, rows: rows)
        let loss = crossEntropy(&scores, labels: labels)
        backend.upload(output, from: scores)
        backend.fill(dWeight, 0)
        backend.fill(dBias, 0)
        backend.linearBackwardWeight(dWeight, dBias: dBias, output, input)
        return (loss, backend.download(dWeight), backend.download(dBias))
    }

    /// The scores of a batch of at most `rows` rows.
    func scores(of batch: [Float], _ weight: [Float], _ bias: [Float]) -> [Float] {
        let count = batch.count / input.columns
        backend.upload(input.rows(0..<count), from: batch)
        return forward(weight, bias, rows: count)
    }

    private func forward(_ weight: [Float], _ bias: [Float], rows: Int) -> [Float] {
        backend.upload(self.weight, from: weight)
        backend.upload(self.bias, from: bias)
        backend.linear(output.rows(0..<rows), input.rows(0..<rows), weight: self.weight, bias: self.bias)
        return backend.download(output.rows(0..<rows))
    }
}

/// The mean over rows of −log softmax(scores)[label]; in place of the scores, `[rows, classes]`, it leaves the gradient, (softmax − one) / rows.
func crossEntropy(_ scores: inout [Float], labels: [Int]) -> Double {
    let classes = scores.count / labels.count
    let share = 1 / Float(labels.count)
    return scores.withUnsafeMutableBufferPointer { scores in
        var loss = 0.0
        for (row, label) in labels.enumerated() {
            let own = UnsafeMutableBufferPointer(rebasing: scores[row * classes..<(row + 1) * classes])
            let largest = own.max()!
            var sum: Float = 0
            loss -= Double(own[label] - largest)
            for index in own.indices {
                own[index] = exp(own[index] - largest)
                sum += own[index]
            }
            loss += log(Double(sum))
            for index in own.indices { own[index] *= share / sum }
            own[label] -= share
        }
        return loss / Double(labels.count)
    }
}
