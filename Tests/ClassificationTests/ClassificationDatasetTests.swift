import Classification
import Files
import Foundation
import TestSupport
import Testing

/// The two layouts of data sets, and what is wrong with some.
@Suite struct ClassificationDatasetTests {
    private func write(_ files: [String: String], in folder: String) throws {
        for (name, text) in files {
            let path = URL(fileURLWithPath: folder + "/" + name)
            try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: path)
        }
    }

    private func open(_ files: [String: String]) throws -> ClassificationDataset {
        let folder = try TemporaryFolder()
        try write(files, in: folder.path)
        return try ClassificationDataset(root: folder.path) { ["mp4", "jpg"].contains($0.ending) }
    }

    private func message(_ files: [String: String]) -> String {
        do { return "no error: \(try open(files))" } catch { return "\(error)" }
    }

    @Test func foldersAreClassesByName() throws {
        let set = try open([
            "train/b/2.mp4": "", "train/b/sub/1.jpg": "", "train/B/x.MP4": "", "train/b/notes.txt": "", "train/b/.hidden.mp4": "",
            "train/a b/1.mp4": "", "train/list.txt": "", "val/b/9.mp4": "", "val/none/readme.txt": "", "train/none/1.jpg": "",
        ])
        #expect(set.classes == ["B", "a b", "b", "none"])
        #expect(set[.train].map(\.name) == ["train/B/x.MP4", "train/a b/1.mp4", "train/b/2.mp4", "train/b/sub/1.jpg", "train/none/1.jpg"])
        #expect(set[.train].map(\.label) == [0, 1, 2, 2, 3])
        #expect(set[.validation].map(\.label) == [2])
        #expect(set[.validation][0].path == set.root + "/val/b/9.mp4")
    }

    @Test func linksThatLeadNowhereAreTold() throws {
        let folder = try TemporaryFolder()
        try write(["train/a/1.mp4": "", "val/a/1.mp4": ""], in: folder.path)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/train/a/2.mp4", withDestinationPath: "nowhere")
        let set = try ClassificationDataset(root: folder.path) { $0.ending == "mp4" }
        #expect(set.leftOut.count == 1 && set.leftOut[0].hasPrefix("train/a/2.mp4"), "\(set.leftOut)")
    }

    @Test func listsHaveSpacesTabsOrCommas() throws {
        let set = try open([
            "train.csv": "videos/one.mp4  10\r\nvideos/with space.mp4 2\n\n\"quoted, name.mp4\" 10\n",
            "val.txt": "\u{FEFF}/far/away.mp4,2\nb.mp4\t10",
            "train/other/1.mp4": "",
        ])
        #expect(set.classes == ["2", "10"])
        #expect(set[.train].map(\.name) == ["videos/one.mp4", "videos/with space.mp4", "quoted, name.mp4"])
        #expect(set[.train].map(\.label) == [1, 0, 1])
        #expect(set[.validation].map(\.path) == ["/far/away.mp4", set.root + "/b.mp4"])
    }

    @Test(arguments: [
        (["train/a/1.mp4": "", "val/a/1.mp4": "", "val/c/1.mp4": ""], "the class 'c', of which"),
        (["train/a/1.mp4": "", "train/b/1.txt": "", "val/a/1.mp4": ""], "train/b has no video or still"),
        (["train/a/1.mp4": ""], "is no classification data set"),
        (["train/a/1.mp4": "", "val/a/1.txt": ""], "val has no video or still"),
        (["train/1.mp4": "", "val/1.mp4": ""], "train has no video or still"),
        (["train.csv": "a.mp4 1", "val/a/1.mp4": ""], "of the other no val.csv or .txt"),
        (["train.csv": "a.mp4 1", "val.csv": ""], "val.csv is empty"),
        (["train.csv": "a.mp4 1\nb.mp4 dog", "val.csv": "a.mp4 1"], "train.csv, line 2: 'b.mp4 dog' is not"),
        (["train.csv": "a.mp4 1\nb.mp4 1.0", "val.csv": "a.mp4 1"], "line 2"),
        (["train.csv": "a.mp4 -1", "val.csv": "a.mp4 1"], "line 1"),
        (["train.csv": "7", "val.csv": "a.mp4 1"], "line 1"),
        (["train.csv": "a.mp4 1", "val.csv": "b.mp4 2"], "'b.mp4' is of class 2, of which"),
        (["train.csv": "a.mp4 1", "train.txt": "a.mp4 1", "val.csv": "a.mp4 1"], "there are both"),
    ])
    func whatIsWrongIsSaid(files: [String: String], part: String) {
        #expect(message(files).contains(part), "\(message(files))")
    }
}
