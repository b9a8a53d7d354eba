/// The type of a tensor's elements, and of the operands of a model's products.
///
/// `bf16` divides the work as PyTorch's autocast does: operands of products, and the activations that are kept for the backward pass, are
/// bf16; sums, the residual stream, statistics, softmax, the loss, gradients of parameters and the optimizer stay f32.
public enum Precision: String, Codable, CaseIterable, Sendable, LosslessStringConvertible {
    /// 32-bit IEEE floating point.
    case f32
    /// The upper half of f32: the same range, 8 bits of precision.
    case bf16

    /// Bytes per element.
    public var byteCount: Int { self == .f32 ? 4 : 2 }

    public init?(_ description: String) { self.init(rawValue: description) }
    public var description: String { rawValue }
}
