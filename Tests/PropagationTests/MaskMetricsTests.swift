import Foundation
import Media
import Pictures
import Propagation
import TestSupport
import Testing

/// What the official code measured on `davis_pairs`.
struct GoldenMetrics: Decodable {
    struct Sequence: Decodable {
        struct Object: Decodable {
            let id: Int
            let region: [Double]
            let contour: [Double]
            let regionStatistics: [Double]
            let contourStatistics: [Double]

            enum CodingKeys: String, CodingKey {
                case id
                case region = "J"
                case contour = "F"
                case regionStatistics = "J_stats"
                case contourStatistics = "F_stats"
            }
        }
        let frameCount: Int
        let objects: [Object]

        enum CodingKeys: String, CodingKey {
            case frameCount = "num_frames"
            case objects
        }
    }
    let sequences: [String: Sequence]
    let global: [String: Double]

    static let folder = Shared.folder.map { $0 + "/golden" }
    static let names = [
        "camvid-void", "edge_id_gap", "edge_len3", "edge_len4", "edge_missing_top_id", "edge_small", "fullres", "horsejump-osvos",
        "osvos-kite-surf", "sav_000001",
    ]

    static func read() throws -> GoldenMetrics {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder! + "/davis_metrics.json"))
        return try JSONDecoder().decode(GoldenMetrics.self, from: data)
    }
}

func readLabels(_ path: String) throws -> LabelMap {
    let image = try readIndexImage(path)
    return LabelMap(width: image.width, height: image.height, labels: image.indices)
}

struct MaskMetricsTests {
    static func scores(_ sequence: String, frames: Int) throws -> SequenceScores {
        let root = GoldenMetrics.folder! + "/davis_pairs"
        func masks(_ folder: String) throws -> [LabelMap] {
            try (0..<frames).map { try readLabels("\(folder)/\(sequence)/\(String(format: "%05d", $0)).png") }
        }
        let truth = try masks(root + "/DAVIS/Annotations/480p")
        var scoring = SequenceScoring(firstAnnotation: truth[0])
        for (predicted, truth) in zip(try masks(root + "/results"), truth).dropFirst().dropLast() {
            try scoring.add(predicted: predicted, truth: truth, name: sequence)
        }
        return scoring.scores(sequence: sequence)
    }

    @Test(.enabled(if: GoldenMetrics.folder != nil, "TANDEM_SHARED is not there"), arguments: GoldenMetrics.names)
    func regionAndContourEqualTheOfficialCode(_ name: String) throws {
        let golden = try #require(try GoldenMetrics.read().sequences[name])
        let scores = try Self.scores(name, frames: golden.frameCount)
        #expect(scores.objects.map(\.object) == golden.objects.map(\.id))
        for (found, expected) in zip(scores.objects, golden.objects) {
            #expect(isNear(found.regionSimilarity, expected.region), "J of object \(expected.id)")
            #expect(isNear(found.contourAccuracy, expected.contour), "F of object \(expected.id)")
            #expect(isNear(MetricStatistics(found.regionSimilarity).three, expected.regionStatistics), "J of object \(expected.id)")
            #expect(isNear(MetricStatistics(found.contourAccuracy).three, expected.contourStatistics), "F of object \(expected.id)")
        }
    }

    @Test(.enabled(if: GoldenMetrics.folder != nil, "TANDEM_SHARED is not there"))
    func globalNumbersEqualTheOfficialCode() throws {
        let golden = try GoldenMetrics.read()
        let scores = DAVISScores(
            try GoldenMetrics.names.map { try Self.scores($0, frames: golden.sequences[$0]!.frameCount) })
        let expected = ["J&F-Mean", "J-Mean", "J-Recall", "J-Decay", "F-Mean", "F-Recall", "F-Decay"].map { golden.global[$0]! }
        #expect(isNear([scores.mean] + scores.regionSimilarity.three + scores.contourAccuracy.three, expected))
    }

    /// Two masks of 8 x 6 pixels, where the tolerance is one pixel.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let predicted: [Int]
        let truth: [Int]
        let region: Double
        let contour: Double

        init(_ name: String, _ predicted: [Int], _ truth: [Int], region: Double, contour: Double) {
            testDescription = name
            self.predicted = predicted
            self.truth = truth
            self.region = region
            self.contour = contour
        }
    }

    @Test(arguments: [
        Case("the same", square(1...3, 1...3), square(1...3, 1...3), region: 1, contour: 1),
        Case("shifted by the tolerance", square(1...3, 1...3), square(2...4, 1...3), region: 0.5, contour: 1),
        Case("far apart", square(2...2, 2...2), square(5...5, 4...4), region: 0, contour: 0),
        Case("both empty", [], [], region: 1, contour: 1),
        Case("one empty", square(1...3, 1...3), [], region: 0, contour: 0),
        Case("both fill the image and have no boundary", square(0...7, 0...5), square(0...7, 0...5), region: 1, contour: 1),
        Case("one fills the image", square(0...7, 0...5), square(0...3, 0...5), region: 0.5, contour: 0),
    ])
    func handMadeMasks(_ this: Case) {
        let scores = MaskMetrics.scores(predicted: Self.map(this.predicted), truth: Self.map(this.truth), object: 1)
        #expect(isNear([scores.regionSimilarity, scores.contourAccuracy], [this.region, this.contour]))
    }

    @Test func oddWidthsAgreeWithTheNaiveDefinition() {
        for (width, height) in [(1, 1), (63, 9), (64, 9), (65, 9), (200, 130)] {
            var state: UInt64 = 7
            func random() -> LabelMap {
                LabelMap(
                    width: width, height: height,
                    labels: (0..<width * height).map { _ in
                        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                        return state >> 60 == 0 ? 1 : 0
                    })
            }
            let (predicted, truth) = (random(), random())
            let found = MaskMetrics.scores(predicted: predicted, truth: truth, object: 1)
            #expect(isNear([found.contourAccuracy], [naiveContourAccuracy(predicted, truth)]), "\(width) x \(height)")
        }
    }

    @Test func refusals() throws {
        let one = LabelMap(width: 2, height: 1, labels: [0, 1])
        let two = LabelMap(width: 2, height: 1, labels: [0, 2])
        let big = LabelMap(width: 1, height: 2, labels: [0, 1])
        func refusal(_ predicted: LabelMap) -> String? {
            var scoring = SequenceScoring(firstAnnotation: one)
            do {
                try scoring.add(predicted: predicted, truth: one, name: "a/00001.png")
                return nil
            } catch { return "\(error)" }
        }
        #expect(refusal(two) == "a/00001.png holds object 2; the first annotation has 1")
        #expect(refusal(big) == "a/00001.png has 1x2 pixels, the annotation 2x1")
        #expect(refusal(one) == nil)
    }

    private static func square(_ columns: ClosedRange<Int>, _ rows: ClosedRange<Int>) -> [Int] {
        rows.flatMap { row in columns.map { row * 8 + $0 } }
    }

    private static func map(_ pixels: [Int]) -> LabelMap {
        var map = LabelMap(width: 8, height: 6, labels: [UInt8](repeating: 0, count: 48))
        for pixel in pixels { map.labels[pixel] = 1 }
        return map
    }
}

func isNear(_ found: [Double], _ expected: [Double], tolerance: Double = 1e-6) -> Bool {
    found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance }
}

extension MetricStatistics {
    var three: [Double] { [mean, recall, decay] }
}

/// F by its definition, pixel by pixel.
private func naiveContourAccuracy(_ predicted: LabelMap, _ truth: LabelMap) -> Double {
    let (width, height) = (truth.width, truth.height)
    let tolerance = Int((0.008 * Double(width * width + height * height).squareRoot()).rounded(.up))
    func boundary(_ map: LabelMap) -> [(x: Int, y: Int)] {
        func at(_ x: Int, _ y: Int) -> Bool { map.labels[min(y, height - 1) * width + min(x, width - 1)] == 1 }
        return (0..<height).flatMap { y in
            (0..<width).compactMap { x in
                let differs = at(x, y) != at(x + 1, y) || at(x, y) != at(x, y + 1) || at(x, y) != at(x + 1, y + 1)
                return differs ? (x, y) : nil
            }
        }
    }
    func share(_ some: [(x: Int, y: Int)], near others: [(x: Int, y: Int)]) -> Double {
        let hits = some.count { a in others.contains { b in (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y) <= tolerance * tolerance }
        }
        return Double(hits) / Double(some.count)
    }
    let (a, b) = (boundary(predicted), boundary(truth))
    if a.isEmpty || b.isEmpty { return a.isEmpty && b.isEmpty ? 1 : 0 }
    let (precision, recall) = (share(a, near: b), share(b, near: a))
    return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall)
}
