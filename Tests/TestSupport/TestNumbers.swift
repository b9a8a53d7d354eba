import Foundation

/// Numbers for tests, the same in every run.
public enum TestNumbers {
    /// `count` floats, roughly normal with deviation one.
    public static func normal(_ count: Int, seed: UInt64) -> [Float] {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func uniform() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (Double(state >> 11) + 0.5) * 0x1p-53
        }
        return (0..<count).map { _ in Float((-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())) }
    }

    /// The largest difference over the largest expected value; infinite where a number is not finite.
    ///
    /// - Parameter rounding: a difference of so much of its own expected value is none.
    public static func relativeError(_ numbers: [Float], _ expected: [Double], rounding: Double = 0) -> Double {
        precondition(numbers.count == expected.count, "\(numbers.count) numbers, \(expected.count) expected")
        guard numbers.allSatisfy(\.isFinite) else { return .infinity }
        let largest = expected.map { abs($0) }.max() ?? 0
        let difference = zip(numbers, expected).map { max(abs(Double($0) - $1) - rounding * abs($1), 0) }.max() ?? 0
        return difference / max(largest, 1e-30)
    }
}

extension Array where Element == Float {
    /// The same numbers in double precision.
    public var doubles: [Double] { map { Double($0) } }
}
