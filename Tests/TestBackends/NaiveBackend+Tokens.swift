import Compute

extension NaiveBackend {
    // MARK: Tokens and frames

    public func gatherTokens(
        _ output: Tensor, _ input: Tensor, maskToken: Tensor, table: Tensor, sources: DeviceArray<Int32>, positions: DeviceArray<Int32>
    ) {
        write(
            Reference.gatherTokens(
                read(input), maskToken: read(maskToken), table: read(table), sources: read(sources), positions: read(positions)),
            to: output)
    }

    public func gatherTokensBackward(_ dInput: Tensor, dMaskToken: Tensor, _ dOutput: Tensor, sources: DeviceArray<Int32>) {
        let sources = read(sources)
        scatter(dOutput, to: sources, of: dInput)
        scatter(dOutput, to: sources.map { $0 < 0 ? 0 : -1 }, of: dMaskToken)
    }

    public func selectRows(_ output: Tensor, _ input: Tensor, sources: DeviceArray<Int32>) {
        let (numbers, width) = (read(input), input.columns)
        write(read(sources).flatMap { numbers[$0 * width..<($0 + 1) * width] }, to: output)
    }

    public func positionEmbedding(_ output: Tensor, _ input: Tensor, table: Tensor, positions: DeviceArray<Int32>) {
        var (numbers, width) = (read(input), input.columns)
        let vectors = read(table)
        for (row, position) in read(positions).enumerated() where position >= 0 {
            for column in 0..<width { numbers[row * width + column] += vectors[position * width + column] }
        }
        write(numbers, to: output)
    }

    public func positionEmbeddingBackward(dTable: Tensor, _ dOutput: Tensor, positions: DeviceArray<Int32>) {
        scatter(dOutput, to: read(positions), of: dTable)
    }

    /// `target[places[r]] += rows[r]` where there is a place.
    private func scatter(_ rows: Tensor, to places: [Int], of target: Tensor) {
        var sums = read(target)
        let (numbers, width) = (read(rows), rows.columns)
        for (row, place) in places.enumerated() where place >= 0 {
            for column in 0..<width { sums[place * width + column] += numbers[row * width + column] }
        }
        write(sums, to: target)
    }

    // MARK: Pixels

    /// Images as the formulas take them.
    private func clip(_ images: Tensor, _ patch: PatchShape) -> Reference.Clip {
        Reference.Clip(read(images), height: images.shape[2], width: images.shape[3], patch)
    }

    public func patchify(_ output: Tensor, _ images: Tensor, patches: DeviceArray<Int32>, _ patch: PatchShape) {
        write(Reference.patches(clip(images, patch), read(patches)), to: output)
    }

    public func normalizeImages(_ output: Tensor, pixels: DeviceArray<UInt8>, _ statistics: PixelStatistics) {
        let (mean, deviation) = (statistics.mean.map(Double.init), statistics.standardDeviation.map(Double.init))
        let bytes = download(pixels), area = output.shape[2] * output.shape[3]
        write(
            bytes.indices.map { index in
                let (image, channel, pixel) = (index / (3 * area), index / area % 3, index % area)
                return (Double(bytes[(image * area + pixel) * 3 + channel]) / 255 - mean[channel]) / deviation[channel]
            }, to: output)
    }

    public func patchLoss(
        _ loss: DeviceArray<Double>, _ prediction: Tensor, _ images: Tensor, targets: DeviceArray<Int32>, _ patch: PatchShape,
        _ target: PatchTarget, scale: Float
    ) {
        let own = patchLoss(prediction, images, targets, patch, target).loss
        upload(loss, from: [download(loss)[0] + Double(scale) * own])
    }

    public func patchLossBackward(
        _ dPrediction: Tensor, _ prediction: Tensor, _ images: Tensor, targets: DeviceArray<Int32>, _ patch: PatchShape,
        _ target: PatchTarget, scale: Float
    ) {
        let gradient = patchLoss(prediction, images, targets, patch, target).gradient
        write(gradient.map { Double(scale) * $0 }, to: dPrediction)
    }

    private func patchLoss(
        _ prediction: Tensor, _ images: Tensor, _ targets: DeviceArray<Int32>, _ patch: PatchShape, _ target: PatchTarget
    ) -> (loss: Double, gradient: [Double]) {
        let targets = read(targets)
        precondition(targets.contains { $0 >= 0 }, "a loss needs a masked patch")
        return Reference.patchLoss(read(prediction), clip(images, patch), targets: targets, target)
    }

    // MARK: Similarity of frames

    public func topKAffinity(
        _ queries: Tensor, _ context: [ContextFrame], neighbourhood: Neighbourhood, k: Int, ties: Int
    ) -> Matches {
        let matches = Reference.topKAffinity(
            read(queries), context.map { (read($0.features), $0.copies.inside, $0.copies.outside) }, height: neighbourhood.height,
            width: neighbourhood.width, k: k, isNear: { down, across in across <= neighbourhood.reach[down] })
        var found = Matches(cells: neighbourhood.cells, capacity: k + ties)
        for (cell, own) in matches.enumerated() {
            found.counts[cell] = Int32(min(own.count, found.capacity))
            for (place, match) in own.prefix(found.capacity).enumerated() {
                found.scores[cell * found.capacity + place] = Float(match.score)
                found.sources[cell * found.capacity + place] = Int32(match.source)
            }
        }
        return found
    }
}
