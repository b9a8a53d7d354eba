/// The visits to videos that failed, by video and reason.
package struct ReplacedVideos {
    package struct Case: Hashable {
        package let video: String
        package let kind: String
        package let reason: String
    }

    /// How often, in which steps, and on whose decoders.
    package struct Visits {
        package var count = 0
        package var steps: ClosedRange<Int>
        package var decoders: Set<String> = []
    }

    package private(set) var count = 0
    private var visits: [Case: Visits] = [:]
    /// Visits of further cases: a run may fail at any number of videos.
    package private(set) var uncounted = 0
    private static let maximumCases = 10_000

    mutating func note(_ line: [String: Any]) {
        guard let step = line.integer("step"), let video = line.text("video") else { return }
        count += 1
        let found = Case(video: video, kind: line.text("kind") ?? "", reason: line.text("reason") ?? "")
        guard visits[found] != nil || visits.count < Self.maximumCases else { return uncounted += 1 }
        let decoder = [line.text("decoder"), line.text("host")].compactMap { $0 }.joined(separator: " on ")
        var own = visits[found] ?? Visits(steps: step...step)
        own.count += 1
        own.steps = min(step, own.steps.lowerBound)...max(step, own.steps.upperBound)
        if !decoder.isEmpty { own.decoders.insert(decoder) }
        visits[found] = own
    }

    /// Those that failed most often first.
    package var cases: [(Case, Visits)] {
        visits.sorted { ($1.value.count, $0.key.video) < ($0.value.count, $1.key.video) }.map { ($0.key, $0.value) }
    }
}
