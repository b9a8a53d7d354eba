import Compute

extension NaiveBackend {
    // MARK: Rows

    public func blend(_ target: Tensor, _ source: Tensor, keeping: Double) {
        write(zip(read(target), read(source)).map { keeping * $0 + (1 - keeping) * $1 }, to: target)
    }

    public func scaleRows(_ output: Tensor, _ input: Tensor, scales: Tensor, residual: Tensor?) {
        let (numbers, scales, added) = (read(input), read(scales), residual.map(read))
        write(numbers.indices.map { numbers[$0] * scales[$0 / input.columns] + (added?[$0] ?? 0) }, to: output)
    }

    public func unitRows(_ output: Tensor, _ input: Tensor, gains: Tensor?) {
        write(Reference.unitRows(read(input), width: input.columns, gains: gains.map(read)), to: output)
    }

    public func unitRowsBackward(_ dInput: Tensor, dGains: Tensor?, _ dOutput: Tensor, _ input: Tensor, gains: Tensor?) {
        let gradients = Reference.unitRowsGradients(read(dOutput), read(input), width: input.columns, gains: gains.map(read))
        add(gradients.x, to: dInput)
        if let dGains { add(gradients.gains, to: dGains) }
    }

    // MARK: Batch norm

    public func batchNorm(_ output: Tensor, statistics: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) {
        write(Reference.batchNorm(read(input), weight: read(weight), bias: read(bias), epsilon: Double(epsilon)), to: output)
        let (mean, variance) = Reference.columnStatistics(read(input), width: input.columns)
        write(mean + variance, to: statistics)
    }

    public func batchNormBackward(
        _ dInput: Tensor, dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor, statistics: Tensor, weight: Tensor,
        epsilon: Float, accumulates: Bool
    ) {
        let gradients = Reference.batchNormGradients(read(dOutput), read(input), weight: read(weight), epsilon: Double(epsilon))
        if accumulates { add(gradients.x, to: dInput) } else { write(gradients.x, to: dInput) }
        add(gradients.weight, to: dWeight)
        add(gradients.bias, to: dBias)
    }

    // MARK: Teachers' targets

    public func centredSoftmax(_ output: Tensor, entropies: Tensor, _ input: Tensor, centre: Tensor, temperature: Double) {
        let numbers = Reference.softmax(read(input), centre: read(centre), temperature: temperature)
        write(numbers, to: output)
        write(Reference.entropies(numbers, width: input.columns), to: entropies)
    }

    public func crossEntropy(
        _ loss: DeviceArray<Double>, logSumExp: Tensor, _ logits: Tensor, targets: Tensor, partners: DeviceArray<Int32>, weights: Tensor,
        temperature: Double
    ) {
        let own = Reference.crossEntropy(
            read(logits), targets: read(targets), partners: read(partners), weights: read(weights), temperature: temperature)
        upload(loss, from: [download(loss)[0] + own])
    }

    public func crossEntropyBackward(
        _ dLogits: Tensor, _ logits: Tensor, logSumExp: Tensor, targets: Tensor, partners: DeviceArray<Int32>, weights: Tensor,
        temperature: Double
    ) {
        write(
            Reference.crossEntropyGradient(
                read(logits), targets: read(targets), partners: read(partners), weights: read(weights), temperature: temperature),
            to: dLogits)
    }

    public func alignmentLoss(
        _ loss: DeviceArray<Double>, _ prediction: Tensor, target: Tensor, correlated: Tensor, weight: Float, scale: Float
    ) {
        let (p, t, c) = (read(prediction), read(target), read(correlated))
        let sum = p.indices.reduce(0.0) { $0 + (p[$1] - t[$1]) * (p[$1] - t[$1]) + Double(weight) * p[$1] * c[$1] }
        upload(loss, from: [download(loss)[0] + Double(scale) * sum])
    }

    public func alignmentLossBackward(
        _ dPrediction: Tensor, _ prediction: Tensor, target: Tensor, correlated: Tensor, weight: Float, scale: Float
    ) {
        let (p, t, c) = (read(prediction), read(target), read(correlated))
        write(p.indices.map { 2 * Double(scale) * (p[$0] - t[$0] + Double(weight) * c[$0]) }, to: dPrediction)
    }
}
