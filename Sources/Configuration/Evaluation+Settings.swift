import Propagation

extension Pipeline.Evaluation {
    /// Whether nothing is scored.
    public var isEmpty: Bool { roots.isEmpty }

    /// The data sets that are scored and where they lie.
    public var roots: [(benchmark: Benchmark, path: String)] {
        [(.davis, davis), (.jhmdb, jhmdb), (.vip, vip)].filter { !$0.1.isEmpty }
    }

    /// The score by which the best checkpoint is told.
    public var mainScore: String { (roots.first?.benchmark ?? .davis).paperScores[0].name }

    /// How labels are propagated on a data set.
    public func settings(for benchmark: Benchmark) -> PropagationSettings {
        var settings = PropagationSettings(preset, for: benchmark)
        if topK > 0 { settings.topK = topK }
        if queue > 0 { settings.queue = queue }
        if radius > 0 { settings.radius = radius }
        if temperature > 0 { settings.temperature = temperature }
        if size.count == 2 { settings.inputSize = .exact(height: size[0], width: size[1]) }
        if size.count == 1 { settings.inputSize = .shortSide(size[0]) }
        return settings
    }
}
