import Media
import Propagation

/// DAVIS: masks as PNG files with a palette, J and F.
struct DAVISTask: BenchmarkTask {
    let dataset: DAVISDataset
    /// The list that the sequences come from; nil: the user named the sequences.
    let set: String?
    let scoreSize: (height: Int, width: Int)?

    struct Outcome {
        let sequence: DAVISDataset.Sequence
        let height: Int
        let width: Int
        /// nil: there are fewer than three annotated frames, so that none is left without the first and the last.
        let scores: SequenceScores?
    }

    var sequences: [(name: String, frameCount: Int)] { dataset.sequences.map { ($0.name, $0.frameNames.count) } }
    let resultLayout = "PNG files named as the annotations; the first and the last may be missing"

    func missingResult(_ index: Int, in folder: String) -> String? {
        firstMissing(dataset.sequences[index].frameNames.dropFirst().dropLast().map { path(index, $0, folder) })
    }

    func propagate(
        _ index: Int, by method: any LabelMethod, to folder: String?, frameDone: () throws -> Void
    ) throws -> Outcome {
        let sequence = dataset.sequences[index]
        // Without a folder to keep masks in and without annotations to score them, none are made.
        guard folder != nil || sequence.isAnnotated else {
            for _ in sequence.frames { try frameDone() }
            return try outcome(index) { _, _ in }
        }
        if let folder { _ = try makeFolder(folder + "/" + sequence.name) }
        return try outcome(index) { first, score in
            try method.masks(sequence.frames, first: first) { frame, mask in
                let file = folder.map { path(index, sequence.frameNames[frame], $0) }
                if let file { try writePNG(mask.image, to: file) }
                if sequence.isScored(frame) { try score(frame, mask, file ?? "\(sequence.name)/\(sequence.frameNames[frame])") }
                try frameDone()
            }
        }
    }

    func score(_ index: Int, resultsIn folder: String) throws -> Outcome {
        let sequence = dataset.sequences[index]
        return try outcome(index) { _, score in
            for frame in sequence.annotations.indices where sequence.isScored(frame) {
                let file = path(index, sequence.frameNames[frame], folder)
                try score(frame, readLabels(file), file)
            }
        }
    }

    /// Scores what `body` hands over, frame by frame.
    private func outcome(
        _ index: Int, _ body: (_ first: LabelMap, _ score: (Int, LabelMap, String) throws -> Void) throws -> Void
    ) throws -> Outcome {
        let sequence = dataset.sequences[index]
        let first = try annotation(sequence, 0)
        var scoring = SequenceScoring(firstAnnotation: first)
        try body(first) { frame, mask, name in
            try scoring.add(predicted: mask, truth: annotation(sequence, frame), name: name)
        }
        return Outcome(
            sequence: sequence, height: first.height, width: first.width,
            scores: sequence.annotations.count < 3 ? nil : scoring.scores(sequence: sequence.name))
    }

    private func annotation(_ sequence: DAVISDataset.Sequence, _ frame: Int) throws -> LabelMap {
        let map = try readLabels(sequence.annotations[frame])
        return scoreSize.map { map.resizedAsPillow(width: $0.width, height: $0.height) } ?? map
    }

    private func path(_ index: Int, _ frameName: String, _ folder: String) -> String {
        "\(folder)/\(dataset.sequences[index].name)/\(frameName).png"
    }
}

extension DAVISDataset.Sequence {
    /// The first frame is given and the last one left out, as DAVIS has it.
    fileprivate func isScored(_ frame: Int) -> Bool { isAnnotated && frame > 0 && frame < annotations.count - 1 }
}
