import Base
import Foundation

/// Steps on several hosts as they would be, from a measured one: computing is shared, exchanging is not, and all wait for the slowest.
struct ClusterForecast: Encodable {
    var hosts: Int
    var seconds: Double
    var samplesPerSecond: Double
    /// Samples a second and host, of one host's alone.
    var efficiency: Double
    /// Shares of a step.
    var exchange: Double
    var waiting: Double

    /// - Parameters:
    ///   - stepSeconds: of one host.
    ///   - bandwidth: bytes a second, each way; `latency` in seconds.
    ///   - stragglers: the standard deviation of a host's time, as a share of it.
    static func rows(
        stepSeconds: Double, batch: Int, parameters: Int, bandwidth: Double, latency: Double, stragglers: Double
    ) -> [ClusterForecast] {
        (0...8).map { 1 << $0 }.filter { $0 <= batch }.map { hosts in
            let share = Double(hosts - 1) / Double(hosts)
            // Each host sends and receives its part twice: sums, then values.
            let exchange = 2 * 4 * Double(parameters) * share / bandwidth + 2 * Double(hosts - 1) * latency
            let computing = stepSeconds / Double(hosts), waiting = computing * stragglers * meanOfLargest(of: hosts)
            let seconds = computing + waiting + exchange
            return ClusterForecast(
                hosts: hosts, seconds: seconds, samplesPerSecond: Double(batch) / seconds,
                efficiency: stepSeconds / Double(hosts) / seconds, exchange: exchange / seconds, waiting: waiting / seconds)
        }
    }

    /// The mean of the largest of some normal numbers, drawn.
    private static func meanOfLargest(of count: Int) -> Double {
        guard count > 1 else { return 0 }
        var random = SplitMix64(seed: 1)
        func normal() -> Double {
            (-2 * log(Double.random(in: .leastNonzeroMagnitude..<1, using: &random))).squareRoot()
                * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
        }
        let tries = 2000
        return (0..<tries).reduce(0.0) { sum, _ in sum + (0..<count).map { _ in normal() }.max()! } / Double(tries)
    }

    static let heading = "  hosts   s/step  samples/s  efficiency  exchange  waiting   (a forecast: nothing of it was run)"

    var text: String {
        String(
            format: "  %5d %8.3f %10.1f %10.2f %8.1f %% %6.1f %%", hosts, seconds, samplesPerSecond, efficiency, 100 * exchange,
            100 * waiting)
    }
}
