import Configuration

/// A pipeline with some keys set.
struct AblationVariant {
    struct Setting {
        let key: String
        let value: String
    }

    let settings: [Setting]
    /// Whether it is the pipeline as it stands.
    var isBase: Bool { differing.isEmpty }
    /// The pipeline's name.
    var name: String { base.name }
    /// One for each seed, with seeds in a row from the pipeline's on.
    private(set) var runs: [AblationRun] = []
    private let differing: [Setting]
    private let base: Pipeline
    private let path: String
    private let overrides: [String]

    /// - Throws: where a value is impossible.
    init(_ settings: [Setting], of base: Pipeline, path: String, overrides: [String], seeds: Int) throws {
        self.settings = settings
        self.base = base
        self.path = path
        self.overrides = overrides
        differing = try settings.filter { try Pipeline.load(path, overrides: overrides + ["\($0.key)=\($0.value)"]) != base }
        runs = try (0..<seeds).map { try run(seed: base.seed + UInt64($0)) }
    }

    /// The run of one seed, whose name tells what differs from the pipeline, whichever keys are varied.
    private func run(seed: UInt64) throws -> AblationRun {
        let marks = differing.map { "\($0.key)=\($0.value)" }.sorted().map { "-" + $0.replacing("/", with: "_") }.joined()
        let name = "\(base.name)\(marks.isEmpty ? "-base" : marks)-seed-\(seed)"
        let settings = overrides + differing.map { "\($0.key)=\($0.value)" } + ["name=\"\(name)\"", "seed=\(seed)"]
        return AblationRun(name: name, path: path, settings: settings, pipeline: try Pipeline.load(path, overrides: settings))
    }
}
