import Base
import Compute
import Drawing
import Media
import Models
import Pictures
import Propagation

/// What an encoder looks at in the sequences of a data set, and where it finds patches of their objects again: small pictures for a run's figures.
struct EncoderPictures {
    private let encoder: PictureEncoder
    private let sequences: [PicturedMethod.Sequence]

    /// Longer side of a frame in a sheet, in pixels.
    private static let side = 192
    private static let sequencesOfAttention = 3
    private static let framesOfMatches = 6
    private static let matches = 3
    private static let objects = 3
    private static let sequencesOfMatches = 2

    init(_ encoder: any EncoderModel, size: InputSize, backend: any SimilarityBackend, _ sequences: [PicturedMethod.Sequence]) {
        self.encoder = PictureEncoder(encoder, size: size, backend: backend)
        self.sequences = sequences
    }

    /// The first frames of some sequences: the frame, the mean attention of the last layer, head by head.
    func attention() throws -> RGBImage? {
        let cells = try sequences.prefix(Self.sequencesOfAttention).flatMap { sequence in
            try encoder.attentionRows(readImage(sequence.frames[0]), side: Self.side)
        }
        return cells.isEmpty ? nil : contactSheet(cells, columns: 2 + encoder.encoder.configuration.heads)
    }

    /// The middles of the first frame's objects, or of the frame, and their matches in later frames: a row for each sequence.
    func correspondence() throws -> RGBImage? {
        var cells: [RGBImage] = []
        for sequence in sequences.prefix(Self.sequencesOfMatches) {
            var sheet = MatchSheet(encoder, matches: Self.matches, side: Self.side)
            for frame in evenlySpaced(Self.framesOfMatches, of: sequence.frames.count) {
                let picture = try readImage(sequence.frames[frame])
                try sheet.add(picture) { grid in
                    middles(of: sequence.first).map {
                        grid.cell(x: Int($0.x * Double(picture.width)), y: Int($0.y * Double(picture.height)), of: picture)
                    }
                }
            }
            // A short sequence leaves the rest of its row empty.
            let missing = Self.framesOfMatches - sheet.cells.count
            cells += sheet.cells + Array(repeating: RGBImage(width: 1, height: 1, color: .white), count: missing)
        }
        return cells.isEmpty ? nil : contactSheet(cells, columns: Self.framesOfMatches)
    }

    /// A pixel of each of some objects, as shares of width and height: the middle one in the order of rows, so that it lies in the object.
    private func middles(of labels: LabelMap?) -> [(x: Double, y: Double)] {
        guard let labels, case let found = Set(labels.withoutVoid.labels).subtracting([0]).sorted(), !found.isEmpty else {
            return [(0.5, 0.5)]
        }
        return found.prefix(Self.objects).map { object in
            let pixels = labels.labels.indices.filter { labels.labels[$0] == object }
            let middle = pixels[pixels.count / 2]
            return (Double(middle % labels.width) / Double(labels.width), Double(middle / labels.width) / Double(labels.height))
        }
    }
}
