import CKernels
import Compute

extension CPUBackend {
    /// Rows of thousands of numbers that a thread takes at once.
    private static let distributionsPerTask = 8

    public func centredSoftmax(_ output: Tensor, entropies: Tensor, _ input: Tensor, centre: Tensor, temperature: Double) {
        let width = input.columns
        precondition(
            output.count == input.count && entropies.count == input.rows && centre.count == width,
            "a softmax of \(input.shape) around \(centre.shape)")
        forEachPiece(input.rows, grain: CPUBackend.distributionsPerTask) { rows, _ in
            let first = rows.lowerBound * width
            kernels.centred_softmax(
                output.pointer + first, entropies.pointer + rows.lowerBound, input.pointer + first, centre.pointer, rows.count, width,
                Float(1 / temperature))
        }
    }

    public func crossEntropy(
        _ loss: DeviceArray<Double>, logSumExp: Tensor, _ logits: Tensor, targets: Tensor, partners: DeviceArray<Int32>, weights: Tensor,
        temperature: Double
    ) {
        let (rows, width) = (logits.rows, logits.columns)
        precondition(
            loss.count == 1 && logSumExp.count == rows && targets.columns == width && partners.count == 2 * rows && weights.count == rows,
            "a cross-entropy of \(logits.shape) and \(targets.shape)")
        precondition(partners.elements.allSatisfy { $0 < targets.rows }, "a target that does not exist")
        scratch.clear()
        let errors = scratch.block(1, rows).floats
        forEachPiece(rows, grain: CPUBackend.distributionsPerTask) { rows, _ in
            let first = rows.lowerBound
            kernels.cross_entropy(
                errors + first, logSumExp.pointer + first, logits.pointer + first * width, targets.pointer, partners.pointer + 2 * first,
                weights.pointer + first, rows.count, width, Float(1 / temperature))
        }
        loss.pointer[0] += UnsafeBufferPointer(start: errors, count: rows).reduce(0.0) { $0 + Double($1) }
    }

    public func crossEntropyBackward(
        _ dLogits: Tensor, _ logits: Tensor, logSumExp: Tensor, targets: Tensor, partners: DeviceArray<Int32>, weights: Tensor,
        temperature: Double
    ) {
        let (rows, width) = (logits.rows, logits.columns)
        precondition(
            dLogits.count == logits.count && logSumExp.count == rows && partners.count == 2 * rows && weights.count == rows,
            "a cross-entropy's gradient of \(logits.shape)")
        forEachPiece(rows, grain: CPUBackend.distributionsPerTask) { rows, _ in
            let first = rows.lowerBound
            kernels.cross_entropy_backward(
                dLogits.pointer + first * width, logits.pointer + first * width, logSumExp.pointer + first, targets.pointer,
                partners.pointer + 2 * first, weights.pointer + first, rows.count, width, Float(1 / temperature))
        }
    }

    public func alignmentLoss(
        _ loss: DeviceArray<Double>, _ prediction: Tensor, target: Tensor, correlated: Tensor, weight: Float, scale: Float
    ) {
        precondition(
            loss.count == 1 && target.count == prediction.count && correlated.count == prediction.count,
            "an alignment of \(prediction.shape) with \(target.shape)")
        let (width, size) = (prediction.columns, CPUBackend.rowsPerTask)
        var sums = [Double](repeating: 0, count: (prediction.rows + size - 1) / size)
        sums.withUnsafeMutableBufferPointer { sums in
            let sums = sums
            forEachPiece(prediction.rows, grain: size) { rows, _ in
                let first = rows.lowerBound * width
                sums[rows.lowerBound / size] = kernels.alignment_loss(
                    prediction.pointer + first, target.pointer + first, correlated.pointer + first, rows.count * width, weight)
            }
        }
        loss.pointer[0] += Double(scale) * sums.reduce(0, +)
    }

    public func alignmentLossBackward(
        _ dPrediction: Tensor, _ prediction: Tensor, target: Tensor, correlated: Tensor, weight: Float, scale: Float
    ) {
        let width = prediction.columns
        precondition(dPrediction.count == prediction.count, "a gradient \(dPrediction.shape) of \(prediction.shape)")
        forEachPiece(prediction.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
            let first = rows.lowerBound * width
            kernels.alignment_loss_backward(
                dPrediction.pointer + first, prediction.pointer + first, target.pointer + first, correlated.pointer + first,
                rows.count * width, weight, 2 * scale)
        }
    }
}
