/// The columns of `log.txt` over steps.
struct CurvesSection: ReportSection {
    static let id = "curves"
    static let title = "Training"
    private let report: Report

    /// The columns that Tandem writes, in the order in which they are of interest.
    private static let known: [(key: String, title: String, note: String)] = [
        ("train_loss", "Loss", "mean since the line before"), ("train_lr", "Learning rate", ""),
        ("gradient_norm", "Gradient norm", "before clipping"), ("teacher_entropy", "Teacher entropy", "of its targets, in nats"),
        ("teacher_spread", "Teacher spread", "of its targets"), ("samples_per_second", "Samples a second", ""),
        ("data_wait", "Data wait", "share of the time"), ("decoders", "Decoders", "at work"),
        ("trainers", "Trainers", "that share the steps"), ("trainer_wait", "Waiting for the slowest trainer", "share of the time"),
        ("exchange", "Exchange between trainers", "share of the time"),
    ]
    private static let fromZero: Set = ["samples_per_second", "data_wait", "decoders", "trainers", "trainer_wait", "exchange"]
    /// Columns that nobody here knows.
    private static let maximumOthers = 16

    init(_ report: Report) { self.report = report }

    func body(_ charts: inout ChartData) -> HTML? {
        let keys = Set(report.runs.flatMap(\.log.keys))
        let others = keys.subtracting(Self.known.map(\.key)).sorted().prefix(Self.maximumOthers)
        var figures: [HTML] = []
        for (key, title, note) in Self.known + others.map({ ($0, $0, "") }) {
            guard charts.add("log/" + key, report.runs.map { $0.log[key] }) else { continue }
            figures.append(chart("log/" + key, title: "\(title)", label: title, note: note, fromZero: Self.fromZero.contains(key)))
        }
        guard !figures.isEmpty else { return nil }
        return """
            <p class="note">Drag to zoom, double click for the whole range; all charts over steps zoom together. Of long logs each of a thousand \
            stretches keeps its least and its greatest value.</p>
            <div class="charts">
            \(figures)</div>
            """
    }
}
