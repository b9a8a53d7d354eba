import Base
import Configuration
import Console
import Files
import Foundation
import Propagation
import Recipes
import RunLog

/// `tandem demo`: the whole pipeline on the embedded data set, and a closing table.
func demo(arguments: [String]) throws {
    var options = Arguments(
        "tandem demo",
        about: "Synthesizes videos, trains a small model on them with all the processes of a real run, and scores it before and after.",
        arguments: arguments)
    let size = options.value(
        "--size", "full|smoke", "full: some minutes; smoke: under one, to see that all of it runs", default: "full")
    let recipe = options.value("--recipe", AnyRecipe.names.joined(separator: "|"), "what is trained", default: AnyRecipe().name)
    let seed = options.value("--seed", "N", "which data and which run", default: UInt64(1))
    if demoSizes[size] == nil { options.refuse("--size wants full or smoke, not '\(size)'") }
    if !AnyRecipe.names.contains(recipe) {
        options.refuse("--recipe wants one of \(AnyRecipe.names.joined(separator: ", ")), not '\(recipe)'")
    }
    options.finish()
    let demo = recipe == AnyRecipe().name ? "demo" : "demo-\(recipe)"
    let pipeline = "Pipelines/\(demo).json5"
    if let obstacle = obstacleToReading(pipeline) {
        throw Failure("\(pipeline): \(obstacle); the demo reads its pipeline there: run it in the folder of Tandem's sources")
    }

    let name = size == "full" ? "\(demo)-\(seed)" : "\(demo)-\(size)-\(seed)"
    let numbers = demoSizes[size]!
    let data = "runs/\(name)/data"
    try RunFolder.claim("runs/\(name)")
    func headline(_ text: String) {
        fflush(nil)
        writeError("\n== \(text)\n")
    }
    headline("synthesize: \(numbers.videos) videos to train on, \(numbers.sequences) sequences to score on")
    try synthesize(
        arguments: [
            data, "--seed", "\(seed)", "--videos", "\(numbers.videos)", "--short-side", "128", "--sequences", "\(numbers.sequences)",
        ])

    headline("prepare: verify every video, write it anew so that any frame is quick to reach, write the manifest")
    let media = data + "/quick"
    try prepare(arguments: [data + "/train", "--transcode", media, "--short-side", "128", "--fast-access"])

    headline("run: two decoders, a batcher, a trainer and an evaluator")
    let settings =
        ["name=\"\(name)\"", "seed=\(seed)", "data.media=\"\(media)\""]
        + Benchmark.allCases.map { "evaluation.\($0)=\"\(data)/\($0)\"" }
        + numbers.overrides
    try run(arguments: [pipeline] + settings.flatMap { ["--set", $0] })
    guard !Interruption.isRequested else { throw Failure("interrupted; run it again, and it continues") }

    headline("results on \(numbers.sequences) held-out sequences")
    print(try demoTable(run: "runs/\(name)", data: data))
}

/// How much of everything a demo takes.
private let demoSizes: [String: (videos: Int, sequences: Int, overrides: [String])] = [
    "full": (videos: 80, sequences: 10, overrides: []),
    "smoke": (videos: 6, sequences: 2, overrides: ["train.steps=20"]),
]

/// Scores of copying the first labels, of the untrained and of the trained encoder.
private func demoTable(run folder: String, data: String) throws -> String {
    let columns = Benchmark.allCases.flatMap(\.paperScores)
    let scores = try String(contentsOfFile: folder + "/scores.jsonl", encoding: .utf8).split(separator: "\n").compactMap {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
    func row(_ name: String, _ scores: [String: Any]?) -> String {
        let cells = columns.map { (scores?[$0.name] as? Double).map { String(format: "%.1f", $0) } ?? "-" }
        return line(name, cells)
    }
    func line(_ name: String, _ cells: [String]) -> String {
        "  " + name.padding(toLength: 24, withPad: " ", startingAt: 0)
            + cells.map { String(repeating: " ", count: max(1, 9 - $0.count)) + $0 }.joined()
    }
    let bySteps = scores.sorted { ($0["step"] as? Int ?? 0) < ($1["step"] as? Int ?? 0) }
    guard let first = bySteps.first, let last = bySteps.last, bySteps.count >= 2 else {
        throw Failure("\(folder)/scores.jsonl lacks the scores before and after; run again to score them")
    }
    let lines = [
        line("", columns.map(\.title)),
        row("copy the first labels", try copyScores(data)),
        row("untrained encoder", first),
        row("trained, \(last["step"] ?? "?") steps", last),
        "",
        "  report       \(folder)/report.html",
        "  pictures     \(folder)/figures",
        "  weights      \(folder)/checkpoints",
        "  curves       tensorboard --logdir \(folder)",
    ]
    return lines.joined(separator: "\n")
}

/// Scores of the method that every tracker has to beat.
private func copyScores(_ data: String) throws -> [String: Any] {
    try Benchmark.allCases.reduce(into: [:]) { all, benchmark in
        let (status, text) = try runSibling(
            "tandem-evaluator",
            ["--baseline", "copy", "--dataset", "\(benchmark)", "--root", "\(data)/\(benchmark)", "--json", "--progress", "plain"])
        guard status == 0 else { throw Failure("tandem-evaluator --baseline copy failed; its lines above say why") }
        let document = try JSONSerialization.jsonObject(with: text) as? [String: Any]
        all.merge(document?["scores"] as? [String: Any] ?? [:]) { $1 }
    }
}
