/// A number that a process shows, or several under one name told apart by a label, as Prometheus has them (text format 0.0.4).
///
/// Names have the unit at their end, base units only; counters end in `_total`.
public struct Metric: Sendable {
    private enum Kind: String { case counter, gauge, summary }

    private struct Sample {
        var suffix = ""
        var label: (name: String, value: String)?
        var value: Double
    }

    private let name: String
    private let help: String
    private let kind: Kind
    private let samples: [Sample]

    private init(_ name: String, _ help: String, _ kind: Kind, _ samples: [Sample]) {
        (self.name, self.help, self.kind, self.samples) = (name, help, kind, samples)
    }

    /// A counter: a number that only grows while the process lives.
    public static func counter(_ name: String, _ help: String, _ value: some MetricValue) -> Metric {
        Metric(name, help, .counter, [Sample(value: value.asDouble)])
    }

    /// Counts by the value of a label, of which there must be few.
    public static func counter(_ name: String, _ help: String, by label: String, _ values: [String: Int]) -> Metric {
        let samples = values.sorted { $0.key < $1.key }.map { Sample(label: (label, $0.key), value: Double($0.value)) }
        return Metric(name, help, .counter, samples)
    }

    /// A gauge: a number that rises and falls.
    public static func gauge(_ name: String, _ help: String, _ value: some MetricValue) -> Metric {
        Metric(name, help, .gauge, [Sample(value: value.asDouble)])
    }

    /// A summary: how often something was measured, and the sum.
    public static func summary(_ name: String, _ help: String, sum: Double, count: Int) -> Metric {
        Metric(name, help, .summary, [Sample(suffix: "_sum", value: sum), Sample(suffix: "_count", value: Double(count))])
    }

    /// The lines that Prometheus reads.
    public var text: String {
        let head = "# HELP \(name) \(escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
        return samples.reduce(into: head) { text, sample in
            let label = sample.label.map { "{\($0.name)=\"\(escaped($0.value, quotes: true))\"}" } ?? ""
            text += "\(name)\(sample.suffix)\(label) \(written(sample.value))\n"
        }
    }
}

/// What a metric's value may be given as.
public protocol MetricValue { var asDouble: Double { get } }
extension Int: MetricValue { public var asDouble: Double { Double(self) } }
extension Double: MetricValue { public var asDouble: Double { self } }

private func escaped(_ text: String, quotes: Bool) -> String {
    text.reduce(into: "") { result, character in
        switch character {
        case "\\": result += "\\\\"
        case "\n", "\r", "\r\n": result += "\\n"
        case "\"" where quotes: result += "\\\""
        default: result.append(character)
        }
    }
}

private func written(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return value == value.rounded() && value.magnitude < 1e15 ? "\(Int(value))" : "\(value)"
}
