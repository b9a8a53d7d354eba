// Note: why not the C library's exp and log. Theirs may differ in the last bit between processors (with and without fused
// multiply-add) and versions; a crop that is one pixel wider on one host would break the stream's identity. These use only
// operations that IEEE 754 defines to the bit. They run a few times a sample, so speed does not matter.

/// e to the power x, for |x| up to 5: relative error below 2e-14.
package func exponential(_ x: Double) -> Double {
    // e^x = (e^(x / 2^k))^(2^k) with a Taylor series of the small power.
    var halvings = 0
    var small = x
    while abs(small) > 0.125 {
        small *= 0.5
        halvings += 1
    }
    var sum = 1.0
    for n in stride(from: 12.0, through: 1.0, by: -1.0) { sum = 1 + sum * small / n }
    for _ in 0..<halvings { sum *= sum }
    return sum
}

/// Natural logarithm of a positive number: absolute error below 1e-14 between 1/100 and 100.
package func logarithm(_ x: Double) -> Double {
    precondition(x > 0, "no logarithm of \(x)")
    // log x = 2^k log x^(1 / 2^k), and log y = 2 artanh((y - 1) / (y + 1)).
    var doublings = 1.0
    var near = x
    while abs(near - 1) > 0.4 {
        near = near.squareRoot()
        doublings *= 2
    }
    let ratio = (near - 1) / (near + 1)
    let square = ratio * ratio
    var sum = 0.0
    for n in stride(from: 41.0, through: 1.0, by: -2.0) { sum = sum * square + 1 / n }
    return 2 * doublings * ratio * sum
}
