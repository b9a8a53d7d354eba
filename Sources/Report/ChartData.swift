import Base

/// What the page's script draws.
struct ChartData {
    private let runNames: [String]
    /// A chart's curves by its name, as JSON.
    private var charts: [(name: String, series: [String])] = []
    /// Stretches of a curve that keep their extremes: about as many as a chart has pixels.
    private static let stretches = 1000

    init(runNames: [String]) { self.runNames = runNames }

    /// Adds the curves of runs under a name.
    /// - Returns: whether there is a curve at all.
    mutating func add(_ name: String, _ curves: [Curve?]) -> Bool {
        let series = curves.enumerated().compactMap { run, curve in
            curve.flatMap { $0.steps.isEmpty ? nil : "{\"run\":\(run),\($0.thinned(to: Self.stretches).json.dropFirst())" }
        }
        guard !series.isEmpty else { return false }
        charts.append((name, series))
        return true
    }

    /// All of it. No text of it ends the script that it stands in.
    var json: String {
        let names = runNames.map(jsonLiteral).joined(separator: ",")
        let all = charts.map { "\(jsonLiteral($0.name)):[\($0.series.joined(separator: ","))]" }.joined(separator: ",\n")
        return "{\"runs\":[\(names)],\"charts\":{\n\(all)}}".replacing("<", with: "\\u003c")
    }
}

/// A chart's place in the page.
///
/// - Parameters:
///   - chart: the name of its curves.
///   - title: what stands above, or what chooses other curves.
///   - note: what the values are, in small print.
///   - fromZero: whether the axis begins at zero: a few decoders more or fewer are not a mountain.
func chart(_ chart: String, title: HTML, label: String, note: String = "", fromZero: Bool = false) -> HTML {
    """
    <figure class="chart" data-chart="\(chart)"\(fromZero ? " data-zero" as HTML : nil)>
    <figcaption>\(title) <small>\(note)</small></figcaption>
    <div class="tools"><button type="button" class="log" aria-pressed="false">Logarithmic</button> \
    <button type="button" class="whole">Whole range</button></div>
    <div class="plot" tabindex="0" role="application" aria-roledescription="chart" \
    aria-label="\(label) over steps: arrow keys read values, plus and minus zoom, Escape shows the whole range"></div>
    <output aria-live="polite"></output>
    </figure>

    """
}
