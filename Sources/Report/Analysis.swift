/// How well an encoder's or a cross-attention's matches hit, over steps: the lines of `analysis.jsonl`.
package struct Analysis {
    /// What a curve is of; a missing head is the whole layer, a missing gap all of them.
    package struct Subject: Hashable, Comparable {
        package let source: String
        package let layer: Int
        package let head: Int?
        package let region: String
        package let gap: Int?

        package static func < (a: Subject, b: Subject) -> Bool {
            (a.source, a.layer, a.head ?? -1, a.region, a.gap ?? -1) < (b.source, b.layer, b.head ?? -1, b.region, b.gap ?? -1)
        }
    }

    /// The measures of a subject: "hit", "near" and "distance".
    package private(set) var curves: [Subject: [String: [Int: Double]]] = [:]
    static let measures = ["hit", "near", "distance"]

    mutating func note(_ line: [String: Any]) {
        guard let step = line.integer("step"), let source = line.text("source"), let layer = line.integer("layer"),
            let region = line.text("region")
        else { return }
        let subject = Subject(source: source, layer: layer, head: line.integer("head"), region: region, gap: line.integer("gap"))
        for measure in Self.measures {
            if let value = line.number(measure) { curves[subject, default: [:]][measure, default: [:]][step] = value }
        }
    }

    func curve(_ measure: String, of subject: Subject) -> Curve? {
        curves[subject]?[measure].map { points in
            Curve(points.sorted { $0.key < $1.key }.map { (step: $0.key, value: $0.value) })
        }
    }
}
