import Compute
import Glibc

/// Position tables over a clip's tokens, numbered flat: not over time, row and column apart.
///
/// The row of token `n` is `sin(n ω)` in even and `cos(n ω)` in odd columns `j`, with `ω = 10000^(−2 ⌊j / 2⌋ / width)`. Computed in double
/// precision. Vaswani et al., arXiv 1706.03762, section 3.5; MCG-NJU/VideoMAE modeling_finetune.py.
public final class SinusoidTables {
    private let width: Int
    private var tables: [Key: Tensor] = [:]

    private struct Key: Hashable {
        let backend: ObjectIdentifier
        let count: Int
    }

    /// For tokens of this width, an even number.
    public init(width: Int) {
        precondition(width % 2 == 0, "a width of \(width) is not even")
        self.width = width
    }

    /// The table for so many tokens: `[count, width]`, row by row.
    public static func values(count: Int, width: Int) -> [Float] {
        let frequencies = (0..<width / 2).map { pow(10000, -2 * Double($0) / Double(width)) }
        return (0..<count).flatMap { token in
            frequencies.flatMap { [Float(sin(Double(token) * $0)), Float(cos(Double(token) * $0))] }
        }
    }

    /// The table for so many tokens in device memory, kept there from then on.
    func table(count: Int, on backend: any Backend) -> Tensor {
        let key = Key(backend: ObjectIdentifier(backend), count: count)
        if let table = tables[key] { return table }
        let table = backend.tensor([count, width])
        backend.upload(table, from: Self.values(count: count, width: width))
        tables[key] = table
        return table
    }
}
