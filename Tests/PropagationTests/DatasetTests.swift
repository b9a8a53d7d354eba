import Foundation
import Propagation
import TestSupport
import Testing

/// Layouts of JHMDB and VIP, and what is said of their gaps.
struct DatasetTests {
    private func withFiles<Result>(_ files: [String: String], _ body: (String) throws -> Result) throws -> Result {
        try withTemporaryFolder { root in
            for (file, text) in files {
                let path = root + "/" + file
                try FileManager.default.createDirectory(
                    atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            }
            return try body(root)
        }
    }

    private func refusal(_ root: String, _ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch { return "\(error)".replacingOccurrences(of: root, with: "ROOT") }
    }

    private static let jhmdb = [
        "splits/run_test_split1.txt": "b_(1)!.avi 2\nc.avi 1\n\nd@'s.avi 2\n", "splits/run_test_split2.txt": "c.avi 2\n",
        "splits/catch_test_split1.txt": "a.avi 2\n", "joint_positions/run/b_(1)!/joint_positions.mat": "",
        "joint_positions/run/d@'s/joint_positions.mat": "", "joint_positions/catch/a/joint_positions.mat": "",
        "joint_positions/catch/b_(1)!/joint_positions.mat": "", "Rename_Images/catch/a/00002.png": "",
        "Rename_Images/catch/a/00001.png": "", "Rename_Images/catch/a/00010.png": "", "Rename_Images/catch/a/notes.txt": "",
    ]

    @Test func clipsAreThoseForTestingOfTheFirstSplit() throws {
        try withFiles(Self.jhmdb) { root in
            let dataset = try JHMDBDataset(root: root, withFrames: false)
            #expect(dataset.clips.map(\.name) == ["catch/a", "run/b_(1)!", "run/d@'s"])
            #expect(dataset.clips[2].joints == root + "/joint_positions/run/d@'s/joint_positions.mat")
            let named = try JHMDBDataset(root: root, names: ["a"])
            #expect(named.clips.map(\.name) == ["catch/a"])
            #expect(named.clips[0].frames == ["00001", "00002", "00010"].map { "\(root)/Rename_Images/catch/a/\($0).png" })
        }
    }

    @Test func gapsOfJHMDBAreNamed() throws {
        try withFiles(Self.jhmdb) { root in
            func refusal(_ names: [String]) -> String? { self.refusal(root) { _ = try JHMDBDataset(root: root, names: names) } }
            #expect(refusal([]) == "there is no folder ROOT/Rename_Images/run/b_(1)!")
            #expect(refusal(["run/x"]) == "run/x has no joints: there is no ROOT/joint_positions/run/x/joint_positions.mat")
            #expect(refusal(["b_(1)!"]) == "2 actions of ROOT/joint_positions have a clip b_(1)!; name it ACTION/CLIP")
            #expect(self.refusal(root) { _ = try JHMDBDataset(root: root + "/splits") }?.hasPrefix("ROOT/splits has no lists") == true)
        }
        try withFiles(["splits/run_test_split1.txt": "c.avi 1\n"]) { root in
            #expect(
                refusal(root) { _ = try JHMDBDataset(root: root) }
                    == "no list ROOT/splits/ACTION_test_split1.txt has a clip for testing (2); --sequences ACTION/CLIP,… chooses clips")
        }
        try withFiles(["splits/run_test_split1.txt": "c 2\n"]) { root in
            #expect(
                refusal(root) { _ = try JHMDBDataset(root: root) }
                    == "ROOT/splits/run_test_split1.txt: 'c 2' is not a line such as 'CLIP.avi 2'")
        }
    }

    @Test(arguments: ["Annotations/Category_ids", "Category_ids", "VIP_Fine/Annotations/Category_ids"])
    func framesOfVIPAreThoseWithAClassMap(_ maps: String) throws {
        let top = maps.hasPrefix("VIP_Fine") ? "VIP_Fine/" : ""
        let files = [
            "\(maps)/videos10/000000000026.png", "\(maps)/videos10/000000000001.png", "\(top)Images/videos10/000000000001.jpg",
            "\(top)Images/videos10/000000000026.jpg", "\(top)Images/videos10/000000000002.jpg", "\(maps)/videos9/1.png",
        ]
        var texts = Dictionary(uniqueKeysWithValues: files.map { ($0, "") })
        texts["\(top)lists/val_videos.txt"] = "somewhere/videos10\n"
        try withFiles(texts) { root in
            let videos = try VIPDataset(root: root).videos
            #expect(videos.map(\.name) == ["videos10"])
            #expect(videos[0].frameNames == ["000000000001", "000000000026"])
            #expect(videos[0].frames == videos[0].frameNames.map { "\(root)/\(top)Images/videos10/\($0).jpg" })
            #expect(videos[0].annotations[1] == "\(root)/\(maps)/videos10/000000000026.png")
            #expect(
                refusal(root) { _ = try VIPDataset(root: root, names: ["videos9"]) }
                    == "videos9 lacks a frame: there is no ROOT/\(top)Images/videos9/1.jpg")
            try FileManager.default.removeItem(atPath: "\(root)/\(top)lists")
            #expect(
                refusal(root) { _ = try VIPDataset(root: root) }
                    == "there is no list ROOT/\(top)lists/val_videos.txt; --sequences videosN,… names videos without it")
            #expect(try VIPDataset(root: root, withFrames: false).videos.map(\.name) == ["videos9", "videos10"])
        }
    }

    // MARK: Folders as people have them

    /// A companion as macOS writes it beside a file, and its notes on a folder.
    private func addCompanions(_ paths: [String]) -> [String: String] {
        var texts: [String: String] = [:]
        for path in paths {
            let (folder, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
            texts["\(folder)/._\(name)"] = "\u{0}\u{5}\u{16}\u{7}"
            texts["\(folder)/.DS_Store"] = ""
        }
        return texts
    }

    @Test func hiddenCompanionsInJHMDBArePassedOver() throws {
        let companions = addCompanions(Self.jhmdb.keys + ["joint_positions/run", "Rename_Images/catch"])
        try withFiles(Self.jhmdb.merging(companions) { $1 }) { root in
            let dataset = try JHMDBDataset(root: root, withFrames: false)
            #expect(dataset.clips.map(\.name) == ["catch/a", "run/b_(1)!", "run/d@'s"])
            let named = try JHMDBDataset(root: root, names: ["a"])
            #expect(named.clips[0].frames == ["00001", "00002", "00010"].map { "\(root)/Rename_Images/catch/a/\($0).png" })
        }
    }

    @Test func hiddenCompanionsInVIPArePassedOver() throws {
        let files = ["Category_ids/videos10/1.png", "Category_ids/videos9/1.png", "Images/videos9/1.jpg", "Images/videos10/1.jpg"]
        let companions = addCompanions(files + ["Category_ids/videos9"])
        try withFiles(Dictionary(uniqueKeysWithValues: files.map { ($0, "") }).merging(companions) { $1 }) { root in
            let dataset = try VIPDataset(root: root, withFrames: false)
            #expect(dataset.videos.map(\.name) == ["videos9", "videos10"])
            #expect(dataset.videos.allSatisfy { $0.frameNames == ["1"] })
            #expect(try VIPDataset(root: root, names: ["videos9"]).videos[0].frames == ["\(root)/Images/videos9/1.jpg"])
        }
    }

    @Test func hiddenCompanionsInDAVISArePassedOver() throws {
        let files =
            ["JPEGImages/480p/dogs/00000.jpg", "JPEGImages/480p/dogs/00001.jpg"]
            + ["Annotations/480p/dogs/00000.png", "Annotations/480p/dogs/00001.png"]
        let texts = Dictionary(uniqueKeysWithValues: files.map { ($0, "") }).merging(addCompanions(files)) { $1 }
        try withFiles(texts.merging(["ImageSets/2017/val.txt": "dogs\n"]) { $1 }) { root in
            for withFrames in [true, false] {
                let dataset = try DAVISDataset(root: root, withFrames: withFrames)
                #expect(dataset.sequences.map(\.frameNames) == [["00000", "00001"]])
            }
        }
    }

    /// Sequences may lie on other disks.
    @Test func linkedFoldersAreRead() throws {
        try withFiles(["else/1.png": "", "else/2.png": "", "Category_ids/readme/1.png": ""]) { root in
            try #require(symlink("../else", root + "/Category_ids/videos1") == 0)
            let dataset = try VIPDataset(root: root, names: ["videos1"], withFrames: false)
            #expect(dataset.videos[0].frameNames == ["1", "2"])
        }
    }

    @Test func gapsOfVIPAreNamed() throws {
        try withFiles(["lists/val_videos.txt": "videos1\n", "Category_ids/videos2/1.png": ""]) { root in
            #expect(refusal(root) { _ = try VIPDataset(root: root) } == "there is no folder ROOT/Category_ids/videos1")
            #expect(refusal(root) { _ = try VIPDataset(root: root + "/lists") }?.hasPrefix("ROOT/lists has no folder") == true)
        }
    }
}
