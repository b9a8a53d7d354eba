import Base
import Compute
import Console
import Devices
import Files
import Foundation
import Media
import Pictures
import Propagation
import Sampling
import Training
import WeightFiles

/// `tandem propagate`: labels of the first frame carried through a video of one's own.
func propagate(arguments: [String]) throws {
    var options = Arguments(
        "tandem propagate",
        about: """
            Labels a video from its first frame alone: carries a mask, or points, to every later frame by the features of an encoder. Writes \
            OUTPUT/masks/NAME.png for every frame, or OUTPUT/points.json; OUTPUT/overlay.mp4, and OUTPUT/sheet.png with some of its frames.
            """,
        arguments: arguments)
    let weights = options.required("--weights", "FILE|RUN_FOLDER", EncoderWeights.weightsHelp)
    let heads: Int? = options.value("--heads", "N", EncoderWeights.headsHelp)
    let video = options.required("--video", "FILE|FOLDER", "a video, or a folder of frames")
    let mask = options.required(
        "--mask", "FILE.png|FILE.json",
        "what is in the first frame, in its pixels: a PNG with a palette or grey, a number for each object and 0 for the ground, or black and"
            + " white; or points, [[X, Y], ...] or [{\"name\": NAME, \"x\": X, \"y\": Y}, ...], which are followed to within half a patch")
    let preset = options.value(
        "--preset", "cropmae|paper|dino", "the published numbers of the propagation", default: PropagationPreset.cropmae)
    let size = options.inputSize()
    let clip = options.value("--clip", "N", EncoderWeights.clipHelp, default: 1)
    let threads = options.threads()
    let output = options.required("--output", "FOLDER", "where to write; made where it is missing")
    options.finish()

    Interruption.catchSignals()
    let frames = try FrameSequence(video)
    let labels = try FirstLabels(mask, first: frames.read([0])[0], of: video)
    var settings = PropagationSettings(preset, for: .davis)
    (settings.inputSize, settings.clip) = (size, clip)
    try settings.validate()
    let backend = try Device.cpu.makeBackend(threads: threads)
    let file = try EncoderWeights(path: try CheckpointFolder.weights(at: weights, warn: warn), heads: heads)
    try file.requireClip(of: clip)
    let encoder = try file.makeEncoder(precision: backend.fastestPrecision, backend: backend)
    let arena = Arena(backend: backend)
    let propagation = VideoPropagation(settings, patchSize: file.patchSize, encoder.pixelStatistics, backend: backend) {
        encoder.features(ofMiddleOf: $0, arena: arena)
    }

    let common = ["overlay.mp4", "sheet.png"]
    let names = labels.isMask ? (0..<frames.count).map { "masks/\(frames.name(ofFrame: $0)).png" } + common : ["points.json"] + common
    if let (name, others) = Dictionary(grouping: names, by: { $0 }).first(where: { $1.count > 1 }) {
        throw Failure(
            "\(video): \(others.count) frames would have their results in \(name): their names differ in the ending alone; rename them")
    }
    // Results of another video, or of other labels, would mix with these.
    let claimed = try OutputFolder(
        output, by: "tandem propagate", task: "propagation",
        source: "\(resolvedPath(mask)) on the \(frames.count) frames of \(resolvedPath(video))", inputs: [video, mask], names: [])
    defer { claimed.release() }
    try claimed.claim(names)
    var results = try PropagatedVideo(frames, to: output)
    let reader = FrameReader(frames, memory: clip)
    var progress = ProgressLine()
    let start = monotonicSeconds()
    func finishFrame(_ index: Int) throws {
        progress.show(progressBar(done: index + 1, of: frames.count, unit: "frames", elapsed: monotonicSeconds() - start))
        if Interruption.isRequested { throw Failure("interrupted; the results of \(index + 1) frames stay in \(output)") }
    }
    switch labels {
    case .mask(let first):
        try makeFolder(output + "/masks")
        try propagation.masks(frameCount: frames.count, firstMask: first, frame: reader.picture) { index, mask in
            let image = IndexImage(width: mask.width, height: mask.height, indices: mask.labels)
            try writePNG(image, to: "\(output)/masks/\(frames.name(ofFrame: index)).png")
            try results.add(try reader.picture(index), index) { $0.overlaid(image, contour: max(1, $0.height / 240)) }
            try finishFrame(index)
        }
    case .points(let names, let first):
        var found: [[Joint?]] = []
        try propagation.points(frameCount: frames.count, first: first, frame: reader.picture) { index, points in
            // The first frame's are given.
            found.append(index == 0 ? first : points)
            try results.add(try reader.picture(index), index) { $0.marked(found[index], of: reader.firstSize) }
            try finishFrame(index)
        }
        try write(found, names, to: output + "/points.json")
    }
    try results.finish()
    progress.finish(progressBar(done: frames.count, of: frames.count, unit: "frames", elapsed: monotonicSeconds() - start))
    let what = labels.isMask ? "masks/NAME.png of \(frames.count) frames" : "points.json"
    print("\(output): \(what), overlay.mp4 and sheet.png")
}

/// What is labelled in a video's first frame.
private enum FirstLabels {
    case mask(LabelMap)
    case points(names: [String?], [Joint])

    var isMask: Bool { if case .mask = self { true } else { false } }

    /// - Parameter first: the video's first frame, in whose pixels the labels are.
    init(_ path: String, first: RGBImage, of video: String) throws {
        if (path as NSString).pathExtension.lowercased() == "json" {
            self = try Self.points(path, first)
        } else {
            self = .mask(try Self.mask(path, first, of: video))
        }
    }

    private static func mask(_ path: String, _ first: RGBImage, of video: String) throws -> LabelMap {
        let image = try readIndexImage(path)
        guard (image.width, image.height) == (first.width, first.height) else {
            throw Failure(
                "\(path) has \(image.width)x\(image.height) pixels, but the first frame of \(video) \(first.width)x\(first.height):"
                    + " draw the mask on that frame, or scale it to its size without smoothing")
        }
        // In black and white, 255 is the object; beside other numbers it is void, as in DAVIS.
        let isBlackAndWhite = Set(image.indices) == [0, 255]
        let labels = isBlackAndWhite ? image.indices.map { min($0, 1) } : image.indices
        let map = LabelMap(width: image.width, height: image.height, labels: labels)
        let (objects, void) = (labels.count { (1...254).contains($0) }, labels.count { $0 == 255 })
        guard objects > 0 else {
            let found = void > 0 ? "0 or 255, which is void beside other numbers" : "0"
            throw Failure("\(path) shows no object: every pixel is \(found); give each object's pixels a number from 1 to 254")
        }
        guard void <= objects else {
            throw Failure(
                "\(path): \(void) pixels are 255, which is void beside other numbers, and \(objects) are of objects: if the mask is black and"
                    + " white with smooth edges, make every pixel 0 or 255; else number the objects from 1 to 254")
        }
        return map
    }

    private static func points(_ path: String, _ first: RGBImage) throws -> FirstLabels {
        let form = "it wants [[X, Y], ...] or [{\"name\": NAME, \"x\": X, \"y\": Y}, ...], in pixels of the first frame"
        guard let bytes = FileManager.default.contents(atPath: path) else { throw Failure("\(path) cannot be read; is it there?") }
        let list: [GivenPoint]
        do { list = try JSONDecoder().decode([GivenPoint].self, from: bytes) } catch {
            let index = (error as? DecodingError)?.index.map { ": point \($0) cannot be read" } ?? " is no list of points"
            throw Failure("\(path)\(index): \(form)")
        }
        for (index, point) in list.enumerated() {
            guard (0..<Double(first.width)).contains(point.x), (0..<Double(first.height)).contains(point.y) else {
                throw Failure(
                    "\(path): point \(index) lies at \(point.x), \(point.y), outside the first frame of \(first.width)x\(first.height)")
            }
        }
        guard !list.isEmpty else { throw Failure("\(path) lists no point; \(form)") }
        return .points(names: list.map(\.name), list.map { Joint(x: $0.x, y: $0.y) })
    }
}

/// A point as a file lists it: `[X, Y]`, or `{"name": NAME, "x": X, "y": Y}`.
private struct GivenPoint: Decodable {
    let name: String?
    let x: Double
    let y: Double

    private enum Keys: CodingKey { case name, x, y }

    init(from decoder: any Decoder) throws {
        if let named = try? decoder.container(keyedBy: Keys.self) {
            name = try named.decodeIfPresent(String.self, forKey: .name)
            (x, y) = (try named.decode(Double.self, forKey: .x), try named.decode(Double.self, forKey: .y))
        } else {
            var numbers = try decoder.unkeyedContainer()
            name = nil
            (x, y) = (try numbers.decode(Double.self), try numbers.decode(Double.self))
            guard numbers.isAtEnd else { throw DecodingError.dataCorruptedError(in: numbers, debugDescription: "more than two numbers") }
        }
    }
}

extension DecodingError {
    /// The element of the outermost list in which something is wrong.
    fileprivate var index: Int? {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.first?.intValue
        @unknown default: nil
        }
    }
}

/// The frames of a sequence one after the other; a few at once are read, since a video's reader begins a visit at a key frame.
private final class FrameReader {
    private let frames: FrameSequence
    private var first = 0
    private var pictures: [RGBImage] = []
    /// Size of the first frame.
    private(set) var firstSize = (width: 0, height: 0)

    private static let framesAtOnce = 8
    /// Frames before the next ones that may be asked for again.
    private let memory: Int

    init(_ frames: FrameSequence, memory: Int) { (self.frames, self.memory) = (frames, memory) }

    /// A frame: one of those that were read, or the next.
    func picture(_ index: Int) throws -> RGBImage {
        if !(first..<first + pictures.count).contains(index) {
            let next = try frames.read(Array(index..<min(index + Self.framesAtOnce, frames.count)))
            if index == 0 { firstSize = (next[0].width, next[0].height) }
            for (offset, picture) in next.enumerated() where (picture.width, picture.height) != firstSize {
                throw Failure(
                    "\(frames.path): frame \(frames.name(ofFrame: index + offset)) has \(picture.width)x\(picture.height) pixels, and the first"
                        + " \(firstSize.width)x\(firstSize.height): bring all frames to one size")
            }
            let before = pictures.suffix(memory)
            (first, pictures) = (index - before.count, before + next)
        }
        return pictures[index - first]
    }
}

/// The overlay video and its sheet.
private struct PropagatedVideo: ~Copyable {
    private let sheet: String
    private let shown: Set<Int>
    private var cells: [RGBImage] = []
    private var overlay: OverlayVideo

    init(_ frames: FrameSequence, to folder: String) throws {
        sheet = folder + "/sheet.png"
        shown = Set(evenlySpaced(12, of: frames.count))
        overlay = OverlayVideo(path: folder + "/overlay.mp4", rate: frames.rate)
    }

    /// - Parameter draw: draws the labels over the frame, which may be brought to another size.
    mutating func add(_ picture: RGBImage, _ index: Int, _ draw: (RGBImage) -> RGBImage) throws {
        try overlay.add(picture, draw)
        if shown.contains(index) { cells.append(draw(picture.fitted(OverlaySequence.cellSide))) }
    }

    consuming func finish() throws {
        try writePNG(contactSheet(cells, columns: OverlaySequence.columns), to: sheet)
        try overlay.finish()
    }
}

/// - Parameter points: of every frame, in pixels of the first.
private func write(_ points: [[Joint?]], _ names: [String?], to path: String) throws {
    func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
    let frames = points.map { $0.map { point -> Any in point.map { [rounded($0.x), rounded($0.y)] } ?? NSNull() } }
    let names = names.map { name -> Any in name ?? NSNull() }
    let bytes = try JSONSerialization.data(
        withJSONObject: ["names": names, "frames": frames], options: [.sortedKeys, .withoutEscapingSlashes])
    try bytes.write(to: URL(fileURLWithPath: path), options: .atomic)
}

extension RGBImage {
    /// The picture with a disc at each point.
    ///
    /// - Parameter size: of the picture that the points are in.
    fileprivate func marked(_ points: [Joint?], of size: (width: Int, height: Int)) -> RGBImage {
        var marked = self
        let (x, y) = (Double(width) / Double(size.width), Double(height) / Double(size.height))
        let radius = max(3, Double(height) / 60)
        for (index, point) in points.enumerated() {
            guard let point else { continue }
            let place = Point(x: (point.x + 0.5) * x, y: (point.y + 0.5) * y)
            marked.line(from: place, to: place, width: radius * 2, .black)
            marked.line(from: place, to: place, width: radius * 1.5, markPalette[index % markPalette.count])
        }
        return marked
    }
}
