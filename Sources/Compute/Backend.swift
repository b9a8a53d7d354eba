/// What a device must be able to do for the maths half: memory, and a few coarse operations, each with its backward pass.
///
/// Matrices are row-major. Tensors are f32 unless a comment says *operand*: those are f32 or bf16, and all operands of a call in the same but
/// for weights and gradients of outputs, which may be f32 where the others are bf16; a product of both is computed in f32. Arguments come in the order outputs, inputs, parameters, sizes; a gradient is `d` and the name. Forward passes
/// overwrite their outputs; backward passes **add** to the gradients they produce, unless the comment says otherwise. Shapes that do not fit
/// are bugs of the caller and stop the program. Results do not depend on timing: the same call gives the same bits.
public protocol Backend: AnyObject {
    /// One sentence about the device, for the log.
    var summary: String { get }
    /// What decides the last bits of results: of devices that are alike in it, the same calls give the same bits.
    var arithmetic: String { get }
    /// What products can be computed in.
    var precisions: [Precision] { get }
    /// What products are computed fastest in, one of ``precisions``.
    var fastestPrecision: Precision { get }

    // MARK: Memory

    /// `byteCount` bytes, zero, aligned to 64 bytes at least. Running out of memory stops the program.
    func allocate(byteCount: Int) -> UnsafeMutableRawPointer
    /// Gives memory from `allocate` back.
    func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int)
    /// Copies bytes of the host into `target`, which has as many. The host may change them once the call is over.
    func upload(_ target: DeviceArray<UInt8>, from source: UnsafeRawBufferPointer)
    /// Copies the bytes of `source` to the host, as all calls before this one leave them; `target` has as many.
    func download(_ source: DeviceArray<UInt8>, to target: UnsafeMutableRawBufferPointer)
    /// Copies the bytes of `source` to `target`, other memory of this device, which has as many.
    func copy(_ target: DeviceArray<UInt8>, _ source: DeviceArray<UInt8>)
    /// Waits until all that was asked for is done: as before a look at the clock. Results are the same without.
    func synchronize()

    // MARK: Arithmetic on all elements

    /// `target = value`.
    func fill(_ target: Tensor, _ value: Float)
    /// `target += source`.
    func add(_ target: Tensor, _ source: Tensor)
    /// `target = keeping · target + (1 − keeping) · source`, a moving average.
    func blend(_ target: Tensor, _ source: Tensor, keeping: Double)
    /// `target = target · source`, element by element. Both may be operands.
    func multiply(_ target: Tensor, _ source: Tensor)
    /// `target = source`, rounded to the nearest; `target` is bf16.
    func round(_ target: Tensor, _ source: Tensor)

    // MARK: Products

    /// `output = op(a) op(b)`, where `op` transposes if asked to: general, without bias.
    func product(_ output: Tensor, _ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool)
    /// `output = input · weightᵀ + bias`, `weight` being `[out, in]`. `input` and `weight` are operands, `output` may be one.
    func linear(_ output: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor)
    /// `output = residual + input · weightᵀ + bias`. `input` and `weight` are operands.
    func linearResidual(_ output: Tensor, _ input: Tensor, residual: Tensor, weight: Tensor, bias: Tensor)
    /// `output = gelu(x)` and `derivative = gelu'(x)` for `x = input · weightᵀ + bias`, GELU being `x Φ(x)` with the exact normal distribution.
    /// All but `bias` are operands.
    func linearGELU(_ output: Tensor, derivative: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor)
    /// `dInput = dOutput · weight`; overwrites, or adds if `accumulates`. `dOutput` and `weight` are operands, `dInput` may be one.
    func linearBackwardInput(_ dInput: Tensor, _ dOutput: Tensor, weight: Tensor, accumulates: Bool)
    /// `dWeight += dOutputᵀ · input`, `dBias += Σ rows of dOutput`. `dOutput` and `input` are operands.
    func linearBackwardWeight(_ dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor)

    // MARK: Normalisation

    /// `output = (input − mean) / sqrt(variance + epsilon) · weight + bias`, row by row; keeps each row's mean and `1 / sqrt(…)` in
    /// `statistics` `[rows, 2]`. `output` may be an operand.
    func layerNorm(_ output: Tensor, statistics: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float)
    /// Backward pass of `layerNorm`; `dInput` overwrites, or adds if `accumulates`. `dOutput` may be an operand.
    func layerNormBackward(
        _ dInput: Tensor, dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor, statistics: Tensor, weight: Tensor,
        accumulates: Bool)

    // MARK: Attention

    /// `output = softmax(q kᵀ / sqrt(head width)) v` for every sequence and head; queries of sequence `i` see the keys of sequence `i`.
    ///
    /// `query`, `key` and `value` have one width, which `heads` divides; `output` is `[queries.rows, width]`. `logSumExp`
    /// `[heads, queries.rows]` keeps `log Σ exp` of each query's scores for the backward pass. Scores live only block by block. All but
    /// `logSumExp` are operands.
    func attention(
        _ output: Tensor, logSumExp: Tensor, query: Columns, key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout,
        heads: Int)
    /// Backward pass of `attention`, from recomputed scores. `dQuery`, `dKey` and `dValue` are overwritten.
    func attentionBackward(
        dQuery: Columns, dKey: Columns, dValue: Columns, _ dOutput: Tensor, _ output: Tensor, logSumExp: Tensor, query: Columns,
        key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout, heads: Int)

    // MARK: Tokens and pixels

    /// `output[r] = (sources[r] ≥ 0 ? input[sources[r]] : maskToken) + table[positions[r]]`: puts tokens into place, with one learned token
    /// where there is none, and adds a position embedding.
    func gatherTokens(
        _ output: Tensor, _ input: Tensor, maskToken: Tensor, table: Tensor, sources: DeviceArray<Int32>, positions: DeviceArray<Int32>)
    /// Backward pass of `gatherTokens`. `dInput` adds; gradients of a row that is gathered several times are summed in their order.
    func gatherTokensBackward(_ dInput: Tensor, dMaskToken: Tensor, _ dOutput: Tensor, sources: DeviceArray<Int32>)
    /// `output[r] = input[sources[r]]`. `input` may be an operand.
    func selectRows(_ output: Tensor, _ input: Tensor, sources: DeviceArray<Int32>)
    /// `output[r] =` patch `patches[r]` of `images` `[frames, 3, height, width]` as a vector in the order channel, frame, row, column. Patches
    /// are numbered over time, then row by row, through all images. `output` is an operand.
    func patchify(_ output: Tensor, _ images: Tensor, patches: DeviceArray<Int32>, _ patch: PatchShape)
    /// `output` `[count, 3, height, width] = (pixels / 255 − mean) / deviation`, with the mean and deviation of each channel; `pixels` are
    /// the bytes of the images, `[count, height, width, 3]`.
    func normalizeImages(_ output: Tensor, pixels: DeviceArray<UInt8>, _ statistics: PixelStatistics)

    // MARK: Loss

    /// `loss += scale ·` mean square error of predicted patches, averaged over the rows that have a target; `loss` is one number.
    ///
    /// Row `r` of `prediction` answers patch `targets[r]` of `images`, or nothing if that is negative. A target vector holds the patch's
    /// pixels in the order frame, row, column, channel, as `target` says.
    func patchLoss(
        _ loss: DeviceArray<Double>, _ prediction: Tensor, _ images: Tensor, targets: DeviceArray<Int32>, _ patch: PatchShape,
        _ target: PatchTarget, scale: Float)
    /// `dPrediction = ∂ loss / ∂ prediction` of the same arguments; overwrites, with zeros where there is no target.
    func patchLossBackward(
        _ dPrediction: Tensor, _ prediction: Tensor, _ images: Tensor, targets: DeviceArray<Int32>, _ patch: PatchShape,
        _ target: PatchTarget, scale: Float)

    // MARK: Optimizer

    /// One AdamW step (Loshchilov and Hutter 2019, as PyTorch divides it) on all elements; `step` counts from 1. Gradients count times
    /// `gradientScale`, and stay as they are.
    func adamW(
        values: Tensor, gradients: Tensor, firstMoments: Tensor, secondMoments: Tensor, learningRate: Double, beta1: Double, beta2: Double,
        epsilon: Double, weightDecay: Double, step: Int, gradientScale: Float)
    /// `sums[i] = Σ x²` over the elements `blocks[i]`, in double precision.
    func sumsOfSquares(_ sums: DeviceArray<Double>, _ values: Tensor, blocks: [Range<Int>])

    // MARK: Positions

    /// `output[r] = input[r] + table[positions[r]]`, or `input[r]` where `positions[r]` is negative.
    func positionEmbedding(_ output: Tensor, _ input: Tensor, table: Tensor, positions: DeviceArray<Int32>)
    /// `dTable[positions[r]] += dOutput[r]`, in the order of the rows; the gradient of the input is `dOutput` itself.
    func positionEmbeddingBackward(dTable: Tensor, _ dOutput: Tensor, positions: DeviceArray<Int32>)

    // MARK: Rows

    /// `output[r] = residual[r] + scales[r] · input[r]`; without a residual `scales[r] · input[r]`. `scales` is `[rows]`.
    func scaleRows(_ output: Tensor, _ input: Tensor, scales: Tensor, residual: Tensor?)
    /// `output[r] = gains[r] · input[r] / max(|input[r]|, 1e-12)`; without gains, rows of length 1. `output` may be an operand; `gains` is
    /// `[rows]` or `[rows, 1]`.
    func unitRows(_ output: Tensor, _ input: Tensor, gains: Tensor?)
    /// Backward pass of `unitRows`; `dGains` may be left out.
    func unitRowsBackward(_ dInput: Tensor, dGains: Tensor?, _ dOutput: Tensor, _ input: Tensor, gains: Tensor?)

    // MARK: Batch norm

    /// `output = (input − mean) / sqrt(variance + epsilon) · weight + bias`, with each column's mean and biased variance over all rows, which
    /// `statistics` `[2, width]` keeps. `output` may be an operand.
    func batchNorm(_ output: Tensor, statistics: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float)
    /// Backward pass of `batchNorm`; `dInput` overwrites, or adds if `accumulates`. `dOutput` may be an operand.
    func batchNormBackward(
        _ dInput: Tensor, dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor, statistics: Tensor, weight: Tensor,
        epsilon: Float, accumulates: Bool)

    // MARK: Teachers' targets

    /// `output[r] = softmax((input[r] − centre) / temperature)`, and `entropies[r] = −Σ output[r] log output[r]`.
    func centredSoftmax(_ output: Tensor, entropies: Tensor, _ input: Tensor, centre: Tensor, temperature: Double)
    /// `loss += Σ weights[r] · Σ −target log softmax(logits[r] / temperature)`, over the rows of `targets` that `partners` `[rows, 2]` names
    /// for row `r`; a negative one names none. `logSumExp` `[rows]` keeps `log Σ exp(logits[r] / temperature)`; `loss` is one number.
    func crossEntropy(
        _ loss: DeviceArray<Double>, logSumExp: Tensor, _ logits: Tensor, targets: Tensor, partners: DeviceArray<Int32>, weights: Tensor,
        temperature: Double)
    /// `dLogits = ∂ loss / ∂ logits` of the same arguments; overwrites.
    func crossEntropyBackward(
        _ dLogits: Tensor, _ logits: Tensor, logSumExp: Tensor, targets: Tensor, partners: DeviceArray<Int32>, weights: Tensor,
        temperature: Double)
    /// `loss += scale · Σ (prediction − target)² + weight · prediction · correlated`; `loss` is one number.
    func alignmentLoss(
        _ loss: DeviceArray<Double>, _ prediction: Tensor, target: Tensor, correlated: Tensor, weight: Float, scale: Float)
    /// `dPrediction = 2 scale (prediction − target + weight · correlated)`, the gradient where `correlated` is the prediction times a symmetric
    /// matrix; overwrites.
    func alignmentLossBackward(_ dPrediction: Tensor, _ prediction: Tensor, target: Tensor, correlated: Tensor, weight: Float, scale: Float)
}
