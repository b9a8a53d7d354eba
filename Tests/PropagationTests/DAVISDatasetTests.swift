import Base
import Foundation
import Propagation
import Testing

struct DAVISDatasetTests {
    private let root = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-davis-\(UUID().uuidString)").path

    private func make(_ files: [String]) throws {
        for file in files {
            let path = root + "/" + file
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data("dogs\n".utf8).write(to: URL(fileURLWithPath: path))
        }
    }

    @Test func framesAreSortedByNumber() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let stems = ["10", "9", "00011"]
        try make(
            ["ImageSets/2017/val.txt"] + stems.map { "JPEGImages/480p/dogs/\($0).jpg" } + stems.map { "Annotations/480p/dogs/\($0).png" })
        let dataset = try DAVISDataset(root: root)
        #expect(dataset.sequences.map(\.name) == ["dogs"])
        #expect(dataset.sequences[0].frameNames == ["9", "10", "00011"])
        #expect(dataset.sequences[0].annotations.last == root + "/Annotations/480p/dogs/00011.png")
    }

    /// Scoring asks for annotations alone, and for the list of another set.
    @Test func annotationsAreEnoughForScoring() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try make(["ImageSets/2017/train.txt", "Annotations/480p/dogs/00001.png", "Annotations/480p/dogs/00000.png"])
        let dataset = try DAVISDataset(root: root, set: "train", withFrames: false)
        #expect(dataset.sequences.map(\.frameNames) == [["00000", "00001"]])
        #expect(throws: Failure.self) { try DAVISDataset(root: root, set: "train") }
        #expect(throws: Failure.self) { try DAVISDataset(root: root, withFrames: false) }
    }

    @Test func missingPartsAreNamed() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        func refusal(_ names: [String] = []) -> String? {
            do {
                _ = try DAVISDataset(root: root, names: names)
                return nil
            } catch { return "\(error)" }
        }
        #expect(
            refusal()
                == "\(root) has no list of sequences ImageSets/2017/val.txt; is this the folder that holds JPEGImages and Annotations?")
        #expect(refusal(["cats"]) == "the sequence cats: there is no folder \(root)/JPEGImages/480p/cats")
        try make(["JPEGImages/480p/cats/00000.jpg"])
        #expect(refusal(["cats"]) == "cats lacks an annotation: there is no \(root)/Annotations/480p/cats/00000.png")
        try make(["Annotations/480p/cats/00000.png"])
        #expect(refusal(["cats"]) == nil)
        try make(["JPEGImages/480p/cats/first.jpg"])
        #expect(refusal(["cats"]) == "the sequence cats: \(root)/JPEGImages/480p/cats/first.jpg is not named by a number")
    }
}
