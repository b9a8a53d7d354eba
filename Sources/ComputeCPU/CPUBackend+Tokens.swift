import CKernels
import Compute

extension CPUBackend {
    /// Columns that one task takes, where it takes all rows.
    private static let columnsPerTask = 64

    public func gatherTokens(_ output: Tensor, _ input: Tensor, maskToken: Tensor, table: Tensor, sources: [Int32], positions: [Int32]) {
        let width = output.columns
        precondition(
            sources.count == output.rows && positions.count == output.rows && input.columns == width && maskToken.count == width
                && table.columns == width, "gathering \(sources.count) of \(input.shape) into \(output.shape)")
        precondition(sources.allSatisfy { $0 < input.rows }, "a token that does not exist")
        precondition(positions.allSatisfy { $0 >= 0 && $0 < table.rows }, "a position that does not exist")
        sources.withUnsafeBufferPointer { sources in
            positions.withUnsafeBufferPointer { positions in
                forEachPiece(output.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
                    kernels.gather_tokens(
                        output.pointer + rows.lowerBound * width, input.pointer, maskToken.pointer, table.pointer,
                        sources.baseAddress! + rows.lowerBound, positions.baseAddress! + rows.lowerBound, rows.count, width)
                }
            }
        }
    }

    public func gatherTokensBackward(_ dInput: Tensor, dMaskToken: Tensor, _ dOutput: Tensor, sources: [Int32]) {
        let width = dOutput.columns
        precondition(
            sources.count == dOutput.rows && dInput.columns == width && dMaskToken.count == width, "gathering gradients \(dOutput.shape)")
        precondition(sources.allSatisfy { $0 < dInput.rows }, "a token that does not exist")
        // A task takes some columns of all rows, one row after the other: where a source is repeated, its sum has one order.
        sources.withUnsafeBufferPointer { sources in
            forEachPiece(width, grain: CPUBackend.columnsPerTask) { columns, _ in
                kernels.scatter_rows(
                    dInput.pointer + columns.lowerBound, dOutput.pointer + columns.lowerBound, sources.baseAddress, sources.count,
                    columns.count, width)
            }
        }
        sumRows(dOutput, into: dMaskToken, places: sources.map { $0 < 0 ? 0 : -1 })
    }

    public func selectRows(_ output: Tensor, _ input: Tensor, sources: [Int32]) {
        let width = output.columns
        precondition(
            sources.count == output.rows && input.columns == width, "selecting \(sources.count) of \(input.shape) into \(output.shape)")
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

    public func patchify(_ output: Tensor, _ images: Tensor, patches: [Int32], patchSize: Int) {
        let size = imageSize(images, patches, patchSize)
        let width = 3 * patchSize * patchSize
        precondition(output.rows == patches.count && output.columns == width, "\(patches.count) patches into \(output.shape)")
        precondition(patches.allSatisfy { $0 >= 0 }, "a patch that does not exist")
        patches.withUnsafeBufferPointer { patches in
            forEachPiece(output.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
                kernels.patchify(
                    output.address(of: rows.lowerBound * width), output.precision.kernelType, images.pointer,
                    patches.baseAddress! + rows.lowerBound, rows.count, size.height, size.width, patchSize)
            }
        }
    }

    public func normalizeImages(_ output: Tensor, images: [UnsafePointer<UInt8>]) {
        precondition(output.shape.count == 4 && output.shape[1] == 3, "\(output.shape) is not [count, 3, height, width]")
        precondition(output.shape[0] == images.count, "\(images.count) images for \(output.shape)")
        let area = output.shape[2] * output.shape[3]
        pool.parallelFor(images.count) { image, _ in
            kernels.normalize_image(output.pointer + image * 3 * area, images[image], area)
        }
    }

    public func patchLoss(_ prediction: Tensor, _ images: Tensor, targets: [Int32], patchSize: Int, normalizesPatches: Bool) -> Double {
        let size = imageSize(images, targets, patchSize)
        let width = 3 * patchSize * patchSize
        precondition(prediction.rows == targets.count && prediction.columns == width, "\(targets.count) targets for \(prediction.shape)")
        let count = targets.count { $0 >= 0 }
        precondition(count > 0, "a loss needs a masked patch")
        var errors = [Float](repeating: 0, count: targets.count)
        errors.withUnsafeMutableBufferPointer { errors in
            let errors = errors.baseAddress!
            targets.withUnsafeBufferPointer { targets in
                forEachPiece(targets.count, grain: CPUBackend.rowsPerTask) { rows, thread in
                    kernels.patch_loss(
                        errors + rows.lowerBound, patch(thread, width), prediction.pointer + rows.lowerBound * width, images.pointer,
                        targets.baseAddress! + rows.lowerBound, rows.count, size.height, size.width, patchSize, normalizesPatches ? 1 : 0)
                }
            }
        }
        return errors.reduce(0.0) { $0 + Double($1) } / Double(count)
    }

    public func patchLossBackward(
        _ dPrediction: Tensor, _ prediction: Tensor, _ images: Tensor, targets: [Int32], patchSize: Int, normalizesPatches: Bool,
        scale: Float
    ) {
        let size = imageSize(images, targets, patchSize)
        let width = 3 * patchSize * patchSize
        precondition(prediction.rows == targets.count && dPrediction.count == prediction.count, "\(targets.count) targets")
        let factor = 2 * scale / (Float(width) * Float(targets.count { $0 >= 0 }))
        targets.withUnsafeBufferPointer { targets in
            forEachPiece(targets.count, grain: CPUBackend.rowsPerTask) { rows, thread in
                kernels.patch_loss_backward(
                    dPrediction.pointer + rows.lowerBound * width, patch(thread, width), prediction.pointer + rows.lowerBound * width,
                    images.pointer, targets.baseAddress! + rows.lowerBound, rows.count, size.height, size.width, patchSize,
                    normalizesPatches ? 1 : 0, factor)
            }
        }
    }

    /// Room for one patch in the thread's memory.
    private func patch(_ thread: Int, _ width: Int) -> UnsafeMutablePointer<Float> {
        workspaces[thread].clear()
        return workspaces[thread].block(1, width).floats
    }

    /// Height and width of `images`, after a check that `patchSize` divides them and the patches exist.
    private func imageSize(_ images: Tensor, _ patches: [Int32], _ patchSize: Int) -> (height: Int, width: Int) {
        precondition(images.shape.count == 4 && images.shape[1] == 3, "\(images.shape) is not [batch, 3, height, width]")
        let (height, width) = (images.shape[2], images.shape[3])
        precondition(height % patchSize == 0 && width % patchSize == 0, "patches of \(patchSize) do not tile \(height) x \(width)")
        let count = images.shape[0] * (height / patchSize) * (width / patchSize)
        precondition(patches.allSatisfy { $0 < count }, "a patch that does not exist")
        return (height, width)
    }
}
