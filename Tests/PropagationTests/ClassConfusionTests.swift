import Base
import Foundation
import Propagation
import TestSupport
import Testing

/// Against CropMAE's own evaluation (`golden/vip`), and by hand.
struct ClassConfusionTests {
    private static let folder = Shared.folder.map { $0 + "/golden/vip" }

    private struct Golden: Decodable {
        let counts: [[Int]]
        let shares: [Double?]
        let mean: Double
        let pixels: Double

        enum CodingKeys: String, CodingKey {
            case counts = "confusion_gt_row_pred_col"
            case shares = "iou"
            case mean = "mIoU"
            case pixels = "pixel_accuracy"
        }
    }

    /// One video has predictions of twice the size; some true values are no classes.
    @Test(.enabled(if: folder != nil, "TANDEM_SHARED is not there")) func countsEqualCropMAEs() throws {
        let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: URL(fileURLWithPath: Self.folder! + "/vip.json")))
        var confusion = ClassConfusion()
        for video in try VIPDataset(root: Self.folder!, withFrames: false).videos {
            for (annotation, name) in zip(video.annotations, video.frameNames) {
                let file = "\(Self.folder!)/pred/\(video.name)/\(name)_mask.png"
                try confusion.add(predicted: readLabels(file), truth: readLabels(annotation), name: file)
            }
        }
        #expect(confusion.counts == golden.counts.flatMap { $0 })
        #expect(confusion.intersectionOverUnion.map { $0 == nil } == golden.shares.map { $0 == nil })
        #expect(isNear(confusion.intersectionOverUnion.compactMap { $0 }, golden.shares.compactMap { $0 }))
        #expect(isNear([confusion.meanIntersectionOverUnion!, confusion.pixelAccuracy!], [golden.mean, golden.pixels]))
    }

    /// Truth: four pixels of 0, two of 1, one of 2, one of no class. Found: 0 0 0 1, 1 0, 3, 2.
    @Test func sharesByHand() throws {
        var confusion = ClassConfusion()
        #expect(confusion.meanIntersectionOverUnion == nil && confusion.pixelAccuracy == nil)
        try confusion.add(
            predicted: LabelMap(width: 8, height: 1, labels: [0, 0, 0, 1, 1, 0, 3, 2]),
            truth: LabelMap(width: 8, height: 1, labels: [0, 0, 0, 0, 1, 1, 2, 255]), name: "a.png")
        #expect(isNear(confusion.intersectionOverUnion.compactMap { $0 }, [3.0 / 5, 1.0 / 3, 0, 0]))
        #expect(isNear([confusion.meanIntersectionOverUnion!], [(3.0 / 5 + 1.0 / 3) / 4]))
        #expect(isNear([confusion.pixelAccuracy!], [4.0 / 7]))
        #expect(isNear([confusion.meanAccuracy!], [(3.0 / 4 + 1.0 / 2) / 3]))
        #expect(isNear([confusion.frequencyWeightedIntersectionOverUnion!], [(4 * 3.0 / 5 + 2.0 / 3) / 7]))
        var twice = confusion
        twice.add(confusion)
        #expect(twice.counts == confusion.counts.map { 2 * $0 })
    }

    @Test func whatIsNoClassIsRefused() {
        let truth = LabelMap(width: 1, height: 1, labels: [0])
        var confusion = ClassConfusion()
        #expect(throws: Failure("a.png holds the value 20; classes are 0 to 19")) {
            try confusion.add(predicted: LabelMap(width: 1, height: 1, labels: [20]), truth: truth, name: "a.png")
        }
    }
}
