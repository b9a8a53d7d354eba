import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// What users are told of the files in their folders.
@Suite struct FolderTests {
    private let folder: TemporaryFolder

    /// One good video, `videos/a.mp4`, whatever else tests add.
    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("videos"), withIntermediateDirectories: true)
        var writer = try VideoWriter(path: folder.file("videos/a.mp4"), width: 32, height: 32, framesPerSecond: Rational(25, 1))
        for frame in 0..<4 { try [UInt8](repeating: UInt8(frame * 40), count: 32 * 32 * 3).withUnsafeBytes { try writer.write(rgb: $0) } }
        try writer.finish()
    }

    private func copy(to name: String) throws {
        try FileManager.default.copyItem(atPath: folder.file("videos/a.mp4"), toPath: folder.file("videos/" + name))
    }

    private func prepare(_ arguments: [String]) throws -> (status: Int32, output: String) {
        try Programs.run("tandem", ["prepare"] + arguments, in: folder.path)
    }

    @Test func endingsThatAreLeftOut() throws {
        for name in (0..<9).map({ "\($0).gif" }) + (0..<5).map({ "\($0).m2v" }) { try copy(to: name) }
        let (status, output) = try prepare(["videos"])
        #expect(status == 0 && output.contains("1 videos with 4 frames"), "\(output)")
        #expect(output.contains("videos: left out 14 files: 9 .gif, 5 .m2v; --extensions takes them"), "\(output)")
        for list in ["gif,m2v", ".GIF, .M2V"] {
            let all = try prepare(["videos", "--extensions", list])
            #expect(all.status == 0 && all.output.contains("15 videos") && !all.output.contains("left out"), "\(all.output)")
        }
        try FileManager.default.removeItem(atPath: folder.file("videos/a.mp4"))
        let none = try prepare(["videos"])
        #expect(none.status == 1 && none.output.contains("no videos and no stills here; looked for"), "\(none.output)")
        #expect(none.output.contains("left out 14 files: 9 .gif, 5 .m2v; --extensions takes them"), "\(none.output)")
    }

    @Test func whatCannotBeUsedIsCounted() throws {
        try #require(symlink("../nowhere", folder.file("videos/b")) == 0)
        try #require(symlink(".", folder.file("videos/c")) == 0)
        let (status, output) = try prepare(["videos"])
        #expect(status == 0 && output.contains("1 videos with 4 frames"), "\(output)")
        #expect(output.contains("1 rejected: 1 no such file; see videos/rejects.jsonl"), "\(output)")
    }

    @Test(arguments: [["--extensions", "gif", "--transcode", "out", "--from-frames"], ["--extensions"]])
    func extensionsThatMakeNoSense(options: [String]) throws {
        let (status, output) = try prepare(["videos"] + options)
        #expect(status == 2 && output.contains("--extensions"), "\(output)")
    }

    /// A folder without a manifest gives the videos in it, and a video that is named is one whatever its ending.
    @Test func videosWithoutAManifest() throws {
        try Data("Mac".utf8).write(to: URL(fileURLWithPath: folder.file("videos/._a.mp4")))
        try copy(to: "b.m2v")
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures/Weights"
        func draw(_ video: String) throws -> (status: Int32, output: String) {
            let arguments = ["--weights", fixtures + "/encoder.pth", "--size", "12x12", "--output", "a.png", video]
            return try Programs.run("tandem", ["visualize", "attention"] + arguments, in: folder.path)
        }
        for video in ["videos/a.mp4", "videos/b.m2v"] {
            let (status, output) = try draw(video)
            #expect(status == 0, "\(output)")
        }
    }
}
