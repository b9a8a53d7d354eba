/// A step of LARS (You, Gitman and Ginsburg, arXiv 1708.03888) without weight decay on one parameter: its momentum and, of matrices, the
/// ratio of norms that scales the gradient.
///
/// g' = g · trust · |w| / |g| of a matrix, g of a vector; m = momentum · m + g'; w = w − rate · m. Source: facebookresearch/mae: util/lars.py.
struct LARS {
    var momentum: Float
    var trustCoefficient: Float
    /// Whether the parameter is a matrix; vectors, biases among them, have no ratio.
    let isMatrix: Bool
    private var moments: [Float]

    init(count: Int, isMatrix: Bool, momentum: Float, trustCoefficient: Float) {
        self.momentum = momentum
        self.trustCoefficient = trustCoefficient
        self.isMatrix = isMatrix
        moments = Array(repeating: 0, count: count)
    }

    mutating func update(_ values: inout [Float], gradient: [Float], rate: Float) {
        let scale = isMatrix ? ratio(values, gradient) : 1
        for index in values.indices {
            moments[index] = moments[index] * momentum + gradient[index] * scale
            values[index] -= rate * moments[index]
        }
    }

    private func ratio(_ values: [Float], _ gradient: [Float]) -> Float {
        func norm(_ numbers: [Float]) -> Float { Float(numbers.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()) }
        let (own, slope) = (norm(values), norm(gradient))
        return own > 0 && slope > 0 ? trustCoefficient * own / slope : 1
    }
}
