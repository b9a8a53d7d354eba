import Base
import Console
import Files
import Foundation
import Media
import Pictures

/// `tandem visualize`: pictures of what a model makes of videos.
func visualize(arguments: [String]) throws {
    let pictures = CommandSet(
        "tandem visualize", noun: "picture", about: "Draws what a model makes of videos.",
        [
            (
                "reconstructions", "what a model sees of samples, what it predicts and what was there, at several mask ratios",
                visualizeReconstructions
            ),
            ("attention", "what CLS and chosen patches look at in the last layer, head by head", visualizeAttention),
            ("correspondence", "where the features of chosen patches are found again in later frames", visualizeCorrespondence),
            ("masks", "clips of a pipeline, and what its masks leave visible, as strips and videos", visualizeMasks),
            ("overlays", "results of an evaluation over the frames, as sheets and videos", visualizeOverlays),
        ])
    try pictures.run(arguments)
}

/// A picture that a command draws and writes as PNG.
struct PictureFile {
    private let path: String
    private static let command = "tandem visualize"

    /// Checks before long work that the picture can be written, that no other is lost by it, and that it will not be taken for a frame.
    init(_ path: String, inputs: [String]) throws {
        // Of folders those that hold frames.
        let inputs = inputs.filter { (try? pictureNames(in: $0))?.isEmpty != true }
        try checkOutput(file: path, inputs: inputs, by: "'\(Self.command)'") { isPNG($0, of: Self.command) }
        self.path = path
    }

    /// Writes the picture and says so.
    func write(_ picture: RGBImage, _ what: String) throws {
        try writePNG(picture, to: path, software: Self.command)
        print("\(path): \(what), \(picture.width)x\(picture.height)")
    }
}

/// Makes a folder for results, and those above it.
func makeFolder(_ path: String) throws {
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
        throw Failure("cannot make the folder \(path); choose another --output")
    }
}

/// A pixel on the command line: "120,64".
struct PixelPlace: LosslessStringConvertible {
    let x: Int
    let y: Int

    init?(_ description: String) {
        let numbers = description.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let x = numbers[0], let y = numbers[1], x >= 0, y >= 0 else { return nil }
        (self.x, self.y) = (x, y)
    }

    var description: String { "\(x),\(y)" }
}

extension Arguments {
    /// Declares `--patch`, which may stand several times.
    mutating func patches(_ help: String) -> [PixelPlace] {
        values("--patch", "X,Y", help).compactMap { text in
            let place = PixelPlace(text)
            if place == nil { refuse("--patch wants X,Y in pixels of the picture, such as 120,64, not '\(text)'") }
            return place
        }
    }
}
