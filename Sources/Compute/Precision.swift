/// The type of a tensor's elements.
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

/// What a model computes in. Sums, the residual stream, statistics, softmax, the loss, gradients of parameters and the optimizer are f32 always.
///
/// `bf16` divides the work as PyTorch's autocast does: weights, activations and gradients are rounded before they are multiplied. Where only
/// activations are bf16, they are rounded as they are kept for the backward pass; weights are not, and products are computed in f32.
public struct ModelPrecision: Equatable, CaseIterable, Sendable, CustomStringConvertible {
    /// What matrices of weights, and the gradients that they are multiplied with, are rounded to.
    public let products: Precision
    /// What is kept of activations for the backward pass, and read by products: bf16 where the products are.
    public let activations: Precision

    public init(products: Precision, activations: Precision) {
        self.products = products
        self.activations = products == .bf16 ? .bf16 : activations
    }

    /// All of the model in one precision.
    public init(_ precision: Precision) { self.init(products: precision, activations: precision) }

    public static let f32 = ModelPrecision(.f32)
    public static let bf16 = ModelPrecision(.bf16)
    /// Half the memory for activations, on any processor.
    public static let bf16Activations = ModelPrecision(products: .f32, activations: .bf16)

    public static let allCases = [f32, bf16Activations, bf16]

    public var description: String { products == activations ? "\(products)" : "\(products), activations in \(activations)" }
}
