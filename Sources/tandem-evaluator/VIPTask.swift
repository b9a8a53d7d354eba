import Base
import Console
import Foundation
import Media
import Propagation

/// VIP: class maps as grey PNG files, mIoU.
struct VIPTask: BenchmarkTask {
    let dataset: VIPDataset

    struct Outcome {
        let name: String
        let frameCount: Int
        let confusion: ClassConfusion
    }

    var sequences: [(name: String, frameCount: Int)] { dataset.videos.map { ($0.name, $0.annotations.count) } }
    let resultLayout = "PNG files named as the class maps, such as 000000000001.png or 000000000001_mask.png"

    func missingResult(_ index: Int, in folder: String) -> String? {
        firstMissing(dataset.videos[index].frameNames.map { existingPath(index, $0, folder) })
    }

    func propagate(
        _ index: Int, by method: any LabelMethod, to folder: String?, frameDone: () throws -> Void
    ) throws -> Outcome {
        let video = dataset.videos[index]
        let output = try folder.map { try makeFolder("\($0)/\(resultFolder(video.name))") }
        var confusion = ClassConfusion()
        try method.classMaps(video.frames, first: readLabels(video.annotations[0]).withClassesAlone) { frame, map in
            let truth = try readLabels(video.annotations[frame])
            let found = map.resizedAsPillow(width: truth.width, height: truth.height)
            if let output { try writeGreyPNG(found.image, to: "\(output)/\(video.frameNames[frame]).png") }
            try confusion.add(predicted: found, truth: truth, name: "\(video.name)/\(video.frameNames[frame])")
            try frameDone()
        }
        return Outcome(name: video.name, frameCount: video.frames.count, confusion: confusion)
    }

    func score(_ index: Int, resultsIn folder: String) throws -> Outcome {
        let video = dataset.videos[index]
        var confusion = ClassConfusion()
        for (annotation, name) in zip(video.annotations, video.frameNames) {
            let file = existingPath(index, name, folder)
            try confusion.add(predicted: LabelMap(readClassImage(file)), truth: readLabels(annotation), name: file)
        }
        return Outcome(name: video.name, frameCount: video.annotations.count, confusion: confusion)
    }

    /// Results lie in a folder of their own, because tools that score VIP take every file beside the videos' folders for a result.
    func resultFolder(_ sequence: String) -> String { "Category_ids/" + sequence }

    /// The file of a frame's result; where there is none, the path that an error names.
    private func existingPath(_ index: Int, _ frameName: String, _ folder: String) -> String {
        let video = dataset.videos[index]
        return video.resultPaths(frameName, in: folder).first { FileManager.default.fileExists(atPath: $0) }
            ?? "\(folder)/\(video.name)/\(frameName).png"
    }
}

extension VIPTask {
    func report(_ outcomes: [Outcome], seconds: Double) throws -> EvaluationReport {
        var all = ClassConfusion()
        for outcome in outcomes { all.add(outcome.confusion) }
        let frameCount = outcomes.reduce(0) { $0 + $1.frameCount }
        guard let mean = all.meanIntersectionOverUnion else {
            throw Failure("\(dataset.root) has nothing to score: no pixel has a class")
        }

        var table = ReportTable(columns: ["video", "frames", "mIoU", "pixels"])
        func add(_ name: String, _ frames: Int, _ confusion: ClassConfusion) {
            let shares = [confusion.meanIntersectionOverUnion, confusion.pixelAccuracy]
            table.add([.text(name), .count(frames)] + shares.map { share in .points(share.map { 100 * $0 }) })
        }
        for outcome in outcomes { add(outcome.name, outcome.frameCount, outcome.confusion) }
        add("all videos", frameCount, all)

        let numbers = [
            ("vip_miou", mean), ("vip_pixel_accuracy", all.pixelAccuracy ?? 0), ("vip_mean_accuracy", all.meanAccuracy ?? 0),
            ("vip_frequency_weighted_iou", all.frequencyWeightedIntersectionOverUnion ?? 0),
        ]
        return EvaluationReport(
            scores: numbers.map { ($0.0, 100 * $0.1) }, headline: String(format: "mIoU %.1f", 100 * mean), table: table, notes: [],
            officialFiles: [], details: details(outcomes, all), frameCount: frameCount, seconds: seconds)
    }

    /// What the JSON report holds of VIP alone: shares, and pixels by true and by predicted class.
    private func details(_ outcomes: [Outcome], _ all: ClassConfusion) -> [String: JSONValue] {
        let classes = ClassConfusion.classCount
        let videos = outcomes.map { outcome in
            let video: JSONValue = [
                "num_frames": .count(outcome.frameCount), "mIoU": .number(outcome.confusion.meanIntersectionOverUnion),
            ]
            return (outcome.name, video)
        }
        return [
            "mIoU": .number(all.meanIntersectionOverUnion), "pixel_accuracy": .number(all.pixelAccuracy),
            "mean_accuracy": .number(all.meanAccuracy), "frequency_weighted_iou": .number(all.frequencyWeightedIntersectionOverUnion),
            "iou": .list(all.intersectionOverUnion.map { .number($0) }),
            "confusion_gt_row_pred_col": .list((0..<classes).map { .counts(all.counts[$0 * classes..<($0 + 1) * classes]) }),
            "sequences": .object(Dictionary(videos) { $1 }),
        ]
    }
}

extension LabelMap {
    /// The labels, with every value that is no class as background: such a value could not be scored.
    fileprivate var withClassesAlone: LabelMap {
        LabelMap(width: width, height: height, labels: labels.map { $0 < ClassConfusion.classCount ? $0 : 0 })
    }
}
