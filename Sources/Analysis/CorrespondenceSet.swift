import Base
import Foundation
import Media
import Pictures
import Synthesis

/// The sequences of a synthesized data set whose correspondences are known: `correspondence/NAME/LATER-FIRST.flo` and `.png`, beside the
/// frames in `davis`.
public struct CorrespondenceSet {
    /// The folder that `tandem synthesize --correspondences` filled.
    public let root: String
    /// Names of the sequences, in order.
    public let sequences: [String]

    public init(_ root: String) throws {
        self.root = root
        let folder = root + "/correspondence"
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
        guard !names.isEmpty else {
            throw Failure(
                "\(root) holds no correspondences; make a set that does: tandem synthesize \(root) --correspondences, with the seed that it has"
            )
        }
        sequences = names
    }

    /// A sequence's frames, and where the first one shows what the later ones show.
    public func sequence(_ name: String) throws -> TrueSequence {
        func frame(_ number: Int) throws -> RGBImage { try readImage("\(root)/davis/JPEGImages/480p/\(name)/\(number.padded(to: 5)).jpg") }
        let path = { (gap: Int) in "\(root)/correspondence/\(name)/\(gap.padded(to: 5))-\(0.padded(to: 5))" }
        let later = try Correspondence.gaps.filter { FileManager.default.fileExists(atPath: path($0) + ".flo") }.map { gap in
            let regions = try readClassImage(path(gap) + ".png")
            let places = try FlowFile(path(gap) + ".flo", width: regions.width, height: regions.height).displacements
            return (gap: gap, picture: try frame(gap), truth: Correspondence(displacements: places, regions: regions.indices))
        }
        return TrueSequence(name: name, first: try frame(0), later: later)
    }
}

/// A sequence whose correspondences are known.
public struct TrueSequence {
    public let name: String
    public let first: RGBImage
    /// Frames so many frames later, and where the first one shows what they show.
    public let later: [(gap: Int, picture: RGBImage, truth: Correspondence)]

    public init(name: String, first: RGBImage, later: [(gap: Int, picture: RGBImage, truth: Correspondence)]) {
        (self.name, self.first, self.later) = (name, first, later)
    }
}

/// Middlebury's .flo: displacements to the right and down of each pixel.
private struct FlowFile {
    /// `[height, width, 2]`.
    let displacements: [Float]

    private static let mark = Float(202021.25)

    init(_ path: String, width: Int, height: Int) throws {
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw Failure("cannot read \(path): \(sentence(of: error))")
        }
        let numbers = data.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count / 4 * 4, by: 4).map {
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
            }
        }
        let expected = 12 + width * height * 8
        guard data.count == expected, numbers[0] == Self.mark.bitPattern, numbers[1] == width, numbers[2] == height else {
            throw Failure("\(path) is no .flo file of \(width)x\(height) pixels; synthesize the set anew")
        }
        displacements = numbers.dropFirst(3).map(Float.init(bitPattern:))
    }
}
