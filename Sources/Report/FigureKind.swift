import Files
import Foundation

/// The figures of one kind in a run's folder, `KIND-STEP.png`, `.jpg` or `.mp4`.
package struct FigureKind {
    package struct Figure {
        package let step: Int
        package let path: String
        package let bytes: Int
    }

    package let name: String
    package let isVideo: Bool
    /// As a page names what its files are.
    let mediaType: String
    /// By step.
    package private(set) var figures: [Figure]
    /// Figures that ``kept(within:)`` left out.
    package private(set) var leftOut = 0

    private init(name: String, ending: Substring) {
        (self.name, isVideo, figures) = (name, ending == "mp4", [])
        mediaType = ["mp4": "video/mp4", "jpg": "image/jpeg"][ending] ?? "image/png"
    }

    var bytes: Int { figures.reduce(0) { $0 + $1.bytes } }

    /// The kinds of a folder by their names; a folder that does not exist has none.
    package static func find(in folder: String) -> [FigureKind] {
        var kinds: [String: FigureKind] = [:]
        for name in (try? FolderListing(folder))?.names.compactMap(\.text) ?? [] {
            guard let parts = name.wholeMatch(of: /(.+)-([0-9]{1,15})\.(png|jpg|mp4)/) else { continue }
            let path = folder + "/" + name
            guard obstacleToReading(path) == nil, let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int else {
                continue
            }
            kinds["\(parts.1).\(parts.3)", default: FigureKind(name: String(parts.1), ending: parts.3)].figures
                .append(Figure(step: Int(parts.2)!, path: path, bytes: size))
        }
        return kinds.values.map { kind in
            var kind = kind
            kind.figures.sort { $0.step < $1.step }
            return kind
        }.sorted { ($0.name, $0.isVideo ? 1 : 0) < ($1.name, $1.isVideo ? 1 : 0) }
    }

    /// As many of the figures, evenly spread, as so many bytes hold; the last one always.
    package func kept(within limit: Int) -> FigureKind {
        var kept = self
        while kept.figures.count > 1, kept.bytes > limit {
            // Counted from the last one: it shows what came of the run.
            kept.figures = kept.figures.reversed().enumerated().filter { $0.offset % 2 == 0 }.map(\.element).reversed()
        }
        kept.leftOut = figures.count - kept.figures.count
        return kept
    }
}
