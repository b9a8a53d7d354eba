/// A measure over the steps of a run; its values may be missing, which leaves a gap.
package struct Curve: Equatable, Sendable {
    /// Ascending.
    package private(set) var steps: [Int] = []
    package private(set) var values: [Double] = []

    package init() {}

    package init(_ points: some Sequence<(step: Int, value: Double)>) {
        for (step, value) in points { append(step, value) }
    }

    /// Adds a point. One that does not come after the last takes the place of all from its step on: the run went on from there.
    package mutating func append(_ step: Int, _ value: Double) {
        drop(from: step)
        steps.append(step)
        values.append(value)
    }

    mutating func drop(from step: Int) {
        while let last = steps.last, last >= step {
            steps.removeLast()
            values.removeLast()
        }
    }

    var lastFinite: Double? { values.last(where: \.isFinite) }

    /// The curve with at most some three points in each of so many stretches of equal length: the least value, the greatest, and a gap where
    /// there is one. The first point and the last stay too.
    package func thinned(to stretches: Int) -> Curve {
        guard steps.count > 2 * stretches, let first = steps.first, let last = steps.last else { return self }
        var kept: [Int] = [0]
        var start = 0
        for stretch in 0..<stretches {
            let bound = first + Int((Double(last - first) * Double(stretch + 1) / Double(stretches)).rounded(.up))
            var end = start
            while end < steps.count, steps[end] < bound || stretch == stretches - 1 { end += 1 }
            let finite = (start..<end).filter { values[$0].isFinite }
            let least = finite.min { values[$0] < values[$1] }, greatest = finite.max { values[$0] < values[$1] }
            let gap = finite.count < end - start ? (start..<end).first { !values[$0].isFinite } : nil
            kept += [least, greatest, gap].compactMap { $0 }.sorted()
            start = end
        }
        kept.append(steps.count - 1)
        var thin = Curve()
        for index in kept where thin.steps.last != steps[index] { thin.append(steps[index], values[index]) }
        return thin
    }

    /// `{"x": […], "y": […]}`, a gap as null.
    var json: String {
        // Seven digits are more than a chart shows.
        let numbers = values.map { $0.isFinite && abs($0) < 1e30 ? "\(Float($0))" : "null" }
        return "{\"x\":[\(steps.map(String.init).joined(separator: ","))],\"y\":[\(numbers.joined(separator: ","))]}"
    }
}
