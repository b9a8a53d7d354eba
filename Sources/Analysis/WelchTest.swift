import Base
import Foundation

/// Welch's t-test: whether two samples of unequal variances have one mean (Welch 1947; degrees of freedom by Satterthwaite 1946).
public struct WelchTest {
    public let t: Double
    public let degreesOfFreedom: Double
    /// How likely so great a difference, in either direction, is of equal means.
    public let p: Double

    /// nil where a sample has fewer than two values, or neither varies.
    public init?(_ first: [Double], _ second: [Double]) {
        guard let a = Spread(first), let b = Spread(second), let ofA = a.deviation, let ofB = b.deviation else { return nil }
        let shares = (a: ofA * ofA / Double(first.count), b: ofB * ofB / Double(second.count))
        let sum = shares.a + shares.b
        guard sum > 0 else { return nil }
        t = (a.mean - b.mean) / sum.squareRoot()
        degreesOfFreedom = sum * sum / (shares.a * shares.a / Double(first.count - 1) + shares.b * shares.b / Double(second.count - 1))
        p = incompleteBeta(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5)
    }
}

/// The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22, evaluated as Lentz does).
private func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast below the mean of the distribution; above, the complement does.
    if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
    let logBeta: Double = lgamma(a) + lgamma(b) - lgamma(a + b)
    let front: Double = exp(a * log(x) + b * log(1 - x) - logBeta) / a
    var (numerator, denominator) = (1.0, 1 / (1 - (a + b) * x / (a + 1)))
    var fraction = denominator
    for m in 1...1000 {
        let n = Double(m)
        let place: Double = a + 2 * n
        let even: Double = n * (b - n) * x / ((place - 1) * place)
        let odd: Double = -(a + n) * (a + b + n) * x / (place * (place + 1))
        var change = 1.0
        for term in [even, odd] {
            denominator = 1 / (1 + term * denominator)
            numerator = 1 + term / numerator
            change = numerator * denominator
            fraction *= change
        }
        if abs(change - 1) < 1e-15 { break }
    }
    return front * fraction
}
