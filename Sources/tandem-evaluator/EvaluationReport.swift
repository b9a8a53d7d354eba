import Propagation

/// The outcome of an evaluation, for people and for programs.
struct EvaluationReport {
    /// The benchmark's numbers by name, its main one first; all in points: percent, as papers print them.
    let scores: [(name: String, value: Double)]
    /// The main numbers in one line: "J&F 58.1, J 55.3, F 60.9".
    let headline: String
    /// A line for each sequence, and one for all.
    let table: ReportTable
    /// What a user should be told beside the scores.
    let notes: [String]
    /// Files that the benchmark's own tool would write beside the results.
    let officialFiles: [(name: String, text: String)]
    /// What else the JSON report holds, beside what all benchmarks have.
    let details: [String: JSONValue]
    let frameCount: Int
    let seconds: Double

    /// The scores and the settings that they were measured with, as one JSON object.
    func json(_ benchmark: Benchmark, settings: [String: String]) throws -> String {
        let common: [String: JSONValue] = [
            "benchmark": .text(benchmark.rawValue), "settings": .texts(settings),
            "scores": .numbers(Dictionary(scores.map { ($0.name, $0.value) }) { $1 }), "frames": .count(frameCount),
            "seconds": .number(seconds),
        ]
        return try JSONValue.object(details.merging(common) { $1 }).document()
    }

    /// Writes the table as scores.csv and the JSON report as scores.json.
    func write(to folder: String, _ benchmark: Benchmark, settings: [String: String]) throws {
        try replaceFile(folder + "/scores.csv", with: table.csv)
        try replaceFile(folder + "/scores.json", with: try json(benchmark, settings: settings) + "\n")
    }
}
