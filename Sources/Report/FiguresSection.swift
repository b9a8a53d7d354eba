import Base

/// The pictures and videos of `figures/`, kind by kind, with a slider over steps.
struct FiguresSection: ReportSection {
    static let id = "figures"
    static let title = "Figures"
    private let report: Report
    /// Bytes of all figures of a page: as base64 they take a third more, and a browser has to read them.
    private static let maximumBytes = 48 << 20

    private static let known: [String: (title: String, note: String)] = [
        "attention": ("Attention", "of the last layer: the frame, the mean of all heads, each head"),
        "correspondence": ("Correspondence", "patches of the first frame, and the most similar ones in later frames"),
        "davis": ("DAVIS", "propagated masks"), "jhmdb": ("JHMDB", "propagated joints"), "vip": ("VIP", "propagated parts"),
        "matches": ("Matches", "where patches are found again"),
        "reconstruction": ("Reconstructions", "of the run's own samples: what is seen, predicted and true"),
        "views": ("Views", "of the run's own samples"),
    ]

    init(_ report: Report) { self.report = report }

    func body(_ charts: inout ChartData) -> HTML? {
        let all = report.runs.flatMap(\.figures)
        guard !all.isEmpty else { return nil }
        let bytes = all.reduce(0) { $0 + $1.bytes }
        let limit = bytes > Self.maximumBytes ? Self.maximumBytes / all.count : bytes
        let kinds = report.runs.map { run in run.figures.map { $0.kept(within: limit) } }
        let names = Set(kinds.joined().map(\.name)).sorted()
        let leftOut = kinds.joined().reduce(0) { $0 + $1.leftOut }
        return """
            \(leftOut == 0 ? nil : "<p class=\"note\">\(leftOut) figures between those shown are left out, to keep this page small.</p>" as HTML)
            \(names.map { name in group(name, kinds.map { $0.filter { $0.name == name } }) })
            """
    }

    /// The figures of one kind, the runs side by side.
    private func group(_ name: String, _ kinds: [[FigureKind]]) -> HTML {
        let steps = Set(kinds.joined().flatMap { $0.figures.map(\.step) }).sorted()
        let known = Self.known[name]
        let title = known?.title ?? name.prefix(1).uppercased() + name.dropFirst().replacing("-", with: " ")
        let slider: HTML = """
            <label class="steps">Step <input type="range" min="0" max="\(steps.count - 1)" value="\(steps.count - 1)" \
            data-steps="\(steps.map(String.init).joined(separator: ","))"> <output>\(steps.last!)</output></label>
            """
        let columns = kinds.enumerated().flatMap { run, kinds in
            kinds.map { kind in
                "<div class=\"run\">\(report.runs.count > 1 ? caption(run) : nil)\(kind.figures.map { shot($0, of: kind, in: run, kind.figures.last!.step) })</div>\n"
                    as HTML
            }
        }
        return """
            <div class="figures">
            <h3>\(title) <small>\(known?.note ?? "")</small></h3>
            \(steps.count > 1 ? slider : nil)
            <div class="side">
            \(columns)</div>
            </div>

            """
    }

    private func caption(_ run: Int) -> HTML { "<p>\(swatch(run)) \(report.names[run])</p>" }

    private func shot(_ figure: FigureKind.Figure, of kind: FigureKind, in run: Int, _ last: Int) -> HTML {
        let label = "\(kind.name) of \(report.names[run]) at step \(figure.step)"
        let hidden: HTML = figure.step == last ? "" : " hidden"
        let content: HTML =
            kind.isVideo
            ? "<video controls loop muted playsinline preload=\"metadata\" aria-label=\"\(label)\" src=\"data:\(kind.mediaType);base64,\(base64: figure.path)\"></video>"
            : "<img\(figure.step == last ? nil : " loading=\"lazy\"" as HTML) alt=\"\(label)\" src=\"data:\(kind.mediaType);base64,\(base64: figure.path)\">"
        return "<figure data-step=\"\(figure.step)\"\(hidden)>\(content)<figcaption>step \(figure.step)</figcaption></figure>\n"
    }
}
