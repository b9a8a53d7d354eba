import CKernels
import Compute

extension CPUBackend {
    /// Columns that one task takes, where it takes all rows.
    private static let columnsPerTask = 64

    public func gatherTokens(
        _ output: Tensor, _ input: Tensor, maskToken: Tensor, table: Tensor, sources: DeviceArray<Int32>, positions: DeviceArray<Int32>
    ) {
        let width = output.columns
        precondition(
            sources.count == output.rows && positions.count == output.rows && input.columns == width && maskToken.count == width
                && table.columns == width, "gathering \(sources.count) of \(input.shape) into \(output.shape)")
        precondition(sources.elements.allSatisfy { $0 < input.rows }, "a token that does not exist")
        precondition(positions.elements.allSatisfy { $0 >= 0 && $0 < table.rows }, "a position that does not exist")
        forEachPiece(output.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
            kernels.gather_tokens(
                output.pointer + rows.lowerBound * width, input.pointer, maskToken.pointer, table.pointer,
                sources.pointer + rows.lowerBound, positions.pointer + rows.lowerBound, rows.count, width)
        }
    }

    public func gatherTokensBackward(_ dInput: Tensor, dMaskToken: Tensor, _ dOutput: Tensor, sources: DeviceArray<Int32>) {
        let width = dOutput.columns
        precondition(
            sources.count == dOutput.rows && dInput.columns == width && dMaskToken.count == width, "gathering gradients \(dOutput.shape)")
        precondition(sources.elements.allSatisfy { $0 < dInput.rows }, "a token that does not exist")
        scatterRows(dOutput, into: dInput, places: sources)
        sumRows(dOutput, into: dMaskToken, places: sources.elements.map { $0 < 0 ? 0 : -1 })
    }

    /// `sums[places[r]] += rows[r]` where there is a place, one row after the other.
    func scatterRows(_ rows: Tensor, into sums: Tensor, places: DeviceArray<Int32>) {
        let width = rows.columns
        // A task takes some columns of all rows: where a place is repeated, its sum has one order.
        forEachPiece(width, grain: CPUBackend.columnsPerTask) { columns, _ in
            kernels.scatter_rows(
                sums.pointer + columns.lowerBound, rows.pointer + columns.lowerBound, places.pointer, places.count, columns.count, width)
        }
    }

    /// `sum += Σ rows[r]` over the rows with a place of 0, of the others -1: many rows for one sum.
    private func sumRows(_ rows: Tensor, into sum: Tensor, places: [Int32]) {
        let rowsPerTask = CPUBackend.rowsPerTask, width = rows.columns
        sumOverTasks(count: (rows.rows + rowsPerTask - 1) / rowsPerTask, into: [sum]) { task, sum in
            let first = task * rowsPerTask, count = min(rowsPerTask, rows.rows - first)
            places.withUnsafeBufferPointer {
                kernels.scatter_rows(sum, rows.pointer + first * width, $0.baseAddress! + first, count, width, width)
            }
        }
    }

    public func selectRows(_ output: Tensor, _ input: Tensor, sources: DeviceArray<Int32>) {
        let width = output.columns
        precondition(
            sources.count == output.rows && input.columns == width, "selecting \(sources.count) of \(input.shape) into \(output.shape)")
        let sources = sources.elements
        precondition(sources.allSatisfy { $0 >= 0 && $0 < input.rows }, "a row that does not exist")
        forEachPiece(output.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
            for row in rows {
                let target = output.pointer + row * width, source = input.address(of: Int(sources[row]) * width)
                switch input.precision {
                case .f32: target.update(from: source.assumingMemoryBound(to: Float.self), count: width)
                case .bf16: kernels.widen(target, source.assumingMemoryBound(to: UInt16.self), 1, width, width)
                }
            }
        }
    }

    public func patchify(_ output: Tensor, _ images: Tensor, patches: DeviceArray<Int32>, _ patch: PatchShape) {
        let size = imageSize(images, patches, patch)
        let width = patch.count
        precondition(output.rows == patches.count && output.columns == width, "\(patches.count) patches into \(output.shape)")
        precondition(patches.elements.allSatisfy { $0 >= 0 }, "a patch that does not exist")
        forEachPiece(output.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
            kernels.patchify(
                output.address(of: rows.lowerBound * width), output.precision.kernelType, images.pointer,
                patches.pointer + rows.lowerBound, rows.count, size.height, size.width, patch.kernelShape)
        }
    }

    public func normalizeImages(_ output: Tensor, pixels: DeviceArray<UInt8>, _ statistics: PixelStatistics) {
        precondition(output.shape.count == 4 && output.shape[1] == 3, "\(output.shape) is not [count, 3, height, width]")
        precondition(output.count == pixels.count, "\(pixels.count) bytes for \(output.shape)")
        let length = 3 * output.shape[2] * output.shape[3]
        pool.parallelFor(output.shape[0]) { image, _ in
            kernels.normalize_image(
                output.pointer + image * length, pixels.pointer + image * length, length / 3, statistics.mean,
                statistics.standardDeviation)
        }
    }

    public func patchLoss(
        _ loss: DeviceArray<Double>, _ prediction: Tensor, _ images: Tensor, targets: DeviceArray<Int32>, _ patch: PatchShape,
        _ target: PatchTarget, scale: Float
    ) {
        let size = imageSize(images, targets, patch)
        let width = patch.count
        precondition(prediction.rows == targets.count && prediction.columns == width, "\(targets.count) targets for \(prediction.shape)")
        let count = targets.elements.count { $0 >= 0 }
        precondition(count > 0 && loss.count == 1, "a loss needs a masked patch, and is one number")
        scratch.clear()
        let errors = scratch.block(1, targets.count).floats
        forEachPiece(targets.count, grain: CPUBackend.rowsPerTask) { rows, thread in
            kernels.patch_loss(
                errors + rows.lowerBound, room(thread, width), prediction.pointer + rows.lowerBound * width, images.pointer,
                targets.pointer + rows.lowerBound, rows.count, size.height, size.width, patch.kernelShape, target.kernelTarget)
        }
        let sum = UnsafeBufferPointer(start: errors, count: targets.count).reduce(0.0) { $0 + Double($1) }
        loss.pointer[0] += Double(scale) * (sum / Double(count))
    }

    public func patchLossBackward(
        _ dPrediction: Tensor, _ prediction: Tensor, _ images: Tensor, targets: DeviceArray<Int32>, _ patch: PatchShape,
        _ target: PatchTarget, scale: Float
    ) {
        let size = imageSize(images, targets, patch)
        let width = patch.count
        precondition(prediction.rows == targets.count && dPrediction.count == prediction.count, "\(targets.count) targets")
        let factor = 2 * scale / (Float(width) * Float(targets.elements.count { $0 >= 0 }))
        forEachPiece(targets.count, grain: CPUBackend.rowsPerTask) { rows, thread in
            kernels.patch_loss_backward(
                dPrediction.pointer + rows.lowerBound * width, room(thread, width), prediction.pointer + rows.lowerBound * width,
                images.pointer, targets.pointer + rows.lowerBound, rows.count, size.height, size.width, patch.kernelShape,
                target.kernelTarget, factor)
        }
    }

    /// Room for one patch in the thread's memory.
    private func room(_ thread: Int, _ width: Int) -> UnsafeMutablePointer<Float> {
        workspaces[thread].clear()
        return workspaces[thread].block(1, width).floats
    }

    /// Height and width of `images`, after a check that patches tile them and that those asked for exist.
    private func imageSize(_ images: Tensor, _ patches: DeviceArray<Int32>, _ patch: PatchShape) -> (height: Int, width: Int) {
        precondition(images.shape.count == 4 && images.shape[1] == 3, "\(images.shape) is not [frames, 3, height, width]")
        let (frames, height, width) = (images.shape[0], images.shape[2], images.shape[3])
        precondition(
            frames % patch.frames == 0 && height % patch.size == 0 && width % patch.size == 0,
            "patches of \(patch.frames) x \(patch.size) x \(patch.size) do not tile \(frames) x \(height) x \(width)")
        let count = frames / patch.frames * patch.perStep(height: height, width: width)
        precondition(patches.elements.allSatisfy { $0 < count }, "a patch that does not exist")
        return (height, width)
    }
}

extension PatchShape {
    fileprivate var kernelShape: tandem_patch { tandem_patch(size: size, frames: frames) }
}

extension PatchTarget {
    fileprivate var kernelTarget: tandem_target {
        switch self {
        case .standard: tandem_standard
        case .normalized: tandem_normalized
        case .unit: tandem_unit
        case .normalizedChannels: tandem_normalized_channels
        }
    }
}
