import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// What a preparation finds in its output folder and did not make stays there.
@Suite struct PreparationOutputTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for (index, name) in ["videos/a.mp4", "videos/b.mp4", "val/a.mp4", "val/c.mp4"].enumerated() {
            try make(name)
            try writeTestClip(folder.file(name), width: 64, height: 48, frames: 4 + index)
        }
    }

    private func make(_ name: String, _ text: String? = nil) throws {
        let path = folder.file(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
    }

    @discardableResult
    private func prepare(
        _ source: String, to output: String, _ transcoding: Transcoding? = Transcoding()
    ) throws -> Preparation.Summary {
        try Preparation(folder: folder.file(source), output: folder.file(output), transcoding: transcoding, jobs: 1).run()
    }

    /// Every file below a folder with its bytes, hidden ones too.
    private func contents(_ name: String = "") throws -> [String: Data] {
        let root = folder.file(name)
        let names = FileManager.default.subpaths(atPath: root) ?? []
        return Dictionary(
            uniqueKeysWithValues: names.compactMap { name in
                FileManager.default.contents(atPath: root + "/" + name).map { (name, $0) }
            })
    }

    /// Expects a refusal that says this, after which every file is as before.
    private func expectRefusal(
        _ sentence: String, _ source: String, to output: String, _ transcoding: Transcoding? = Transcoding(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try contents()
        do {
            try prepare(source, to: output, transcoding)
            Issue.record("nothing was refused", sourceLocation: sourceLocation)
        } catch { #expect("\(error)".contains(sentence), sourceLocation: sourceLocation) }
        #expect(try contents() == before, sourceLocation: sourceLocation)
    }

    @Test func originalsStay() throws {
        try prepare("videos", to: "small")
        try expectRefusal(
            "videos/a.mp4 is there and was not made by this preparation; choose an empty folder", "small", to: "videos")
        // Nor does it matter that the folder was prepared, or is only reached by a link.
        try prepare("videos", to: "videos", nil)
        try expectRefusal("videos/a.mp4 is there and was not made by this preparation", "small", to: "videos")
        try FileManager.default.createSymbolicLink(atPath: folder.file("door"), withDestinationPath: "videos")
        try expectRefusal("door/a.mp4 is there and was not made by this preparation", "small", to: "door")
        #expect(try prepare("videos", to: "videos", nil).counts.unchanged == 2)
    }

    @Test func resultsOfAnotherDataSetStay() throws {
        try prepare("videos", to: "out")
        let source = folder.file("videos")
        let sentence = "is there and was not made by this preparation, but by 'tandem prepare --transcode' of \(source)"
        try expectRefusal("out/a.mp4 " + sentence, "val", to: "out")
        try expectRefusal("out/manifest.tandem " + sentence, "val", to: "out", nil)
        // What was encoded is prepared; listing it once more would lose what is known of the originals.
        try expectRefusal("out/manifest.tandem " + sentence, "out", to: "out", nil)
        try prepare("videos", to: "list", nil)
        try expectRefusal("list/manifest.tandem is there and was not made by this preparation, but by", "val", to: "list", nil)
    }

    @Test(arguments: [Preparation.manifestName, Preparation.rejectsName, ".prepare-journal.jsonl"])
    func filesOfTheSameNamesStay(_ name: String) throws {
        try make("videos/" + name, "a user's")
        try expectRefusal("videos/\(name) is there and was not made by this preparation", "videos", to: "videos", nil)
        try make("out/" + name, "a user's")
        try expectRefusal("out/\(name) is there and was not made by this preparation", "videos", to: "out")
    }

    @Test func whatIsNotInTheWayStaysToo() throws {
        let names = ["out/README", "out/x.mp4", "out/a.mp4.partial", "out/manifest.tandem.partial", "out/sub/a.mp4"]
        for name in names { try make(name, "a user's") }
        try prepare("videos", to: "out")
        try prepare("videos", to: "out", Transcoding(groupOfPictures: 8))
        for name in names { #expect(FileManager.default.contents(atPath: folder.file(name)) == Data("a user's".utf8), "\(name)") }
    }

    /// A new source whose result is there already, and a reject that the user encoded by hand.
    @Test func filesThatCameLaterStay() throws {
        try make("videos/c.avi", "no video")
        #expect(try prepare("videos", to: "out").counts.rejects == [.cannotOpen: 1])
        try make("out/c.mp4", "a user's")
        #expect(try prepare("videos", to: "out").counts.unchanged == 3)
        try expectRefusal("out/c.mp4 is there and was not made by this preparation", "videos", to: "out", Transcoding(bFrames: 0))
        try FileManager.default.removeItem(atPath: folder.file("videos/c.avi"))
        try FileManager.default.copyItem(atPath: folder.file("val/c.mp4"), toPath: folder.file("videos/c.mp4"))
        try expectRefusal("out/c.mp4 is there and was not made by this preparation", "videos", to: "out")
    }

    @Test func outputAndVideosDoNotMix() throws {
        try make("out/x", "a user's")
        try FileManager.default.createSymbolicLink(atPath: folder.file("door"), withDestinationPath: "videos")
        for output in ["videos", "videos/new", "door", "door/new", "videos/../videos"] {
            try expectRefusal("which is read", "videos", to: output)
        }
        try expectRefusal("old videos and new ones would mix", "videos", to: "")
        try FileManager.default.createSymbolicLink(atPath: folder.file("out/sub"), withDestinationPath: "../videos")
        try make("videos/sub/d.mp4")
        try writeTestClip(folder.file("videos/sub/d.mp4"), width: 64, height: 48, frames: 4)
        try expectRefusal("out/sub is part of", "videos", to: "out")
        try make("file", "a user's")
        try expectRefusal("file is a file, and a folder is wanted", "videos", to: "file")
    }

    @Test func twoAtATimeAreOneTooMany() throws {
        var refusal = ""
        let first = Preparation(folder: folder.file("videos"), output: folder.file("out"), transcoding: Transcoding(), jobs: 1)
        _ = try first.run(shouldStop: { false }) { _ in
            do { try prepare("videos", to: "out") } catch { refusal = "\(error)" }
        }
        #expect(refusal.contains("out is in use by another preparation; wait until it ends"))
        #expect(try prepare("videos", to: "out").counts.unchanged == 2)
    }

    /// Folders of versions that kept no list: their journals tell.
    @Test func whatOlderVersionsMadeIsContinued() throws {
        for transcoding in [nil, Transcoding()] {
            try prepare("videos", to: "out", transcoding)
            try FileManager.default.removeItem(atPath: folder.file("out/.tandem-made"))
            #expect(try prepare("videos", to: "out", transcoding).counts.unchanged == 2)
            try FileManager.default.removeItem(atPath: folder.file("out/.tandem-made"))
            try expectRefusal("is there and was not made by this preparation", "val", to: "out", transcoding)
            try FileManager.default.removeItem(atPath: folder.file("out"))
        }
    }
}
