import Foundation
import Media
import Pictures
import Sampling
import TestSupport
import Testing

/// Folders as people have them: spread over disks, copied by other systems, named in other scripts.
@Suite struct FolderTests {
    private func make(_ folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func link(_ path: String, to target: String) throws { try #require(symlink(target, path) == 0) }

    private func copy(_ clip: String, to name: [UInt8], in folder: String) throws {
        let path = Array((folder + "/").utf8) + name + [0]
        let content = try Data(contentsOf: URL(fileURLWithPath: clip))
        let file = path.withUnsafeBytes { open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY, 0o600) }
        try #require(file >= 0, "\(String(cString: strerror(errno)))")
        defer { close(file) }
        try #require(content.withUnsafeBytes { write(file, $0.baseAddress, $0.count) } == content.count)
    }

    /// Path, reason and detail of each reject.
    private func rejects(_ folder: String) throws -> [[String]] {
        try String(contentsOfFile: folder + "/rejects.jsonl", encoding: .utf8).split(separator: "\n").map { line in
            let reject = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
            return ["path", "reason", "detail"].map { reject[$0] ?? "" }
        }
    }

    private func paths(_ summary: Preparation.Summary) throws -> [String] { try summary.manifest.records().map(\.path) }

    @Test func linkedFoldersArePrepared() throws {
        try withTemporaryFolder { root in
            let folder = root + "/videos"
            for name in [folder + "/catA", root + "/elsewhere/catB"] { try make(name) }
            let clip = try writeTestClip(folder + "/catA/a.mp4", width: 32, height: 32, frames: 4)
            try FileManager.default.copyItem(atPath: clip, toPath: root + "/elsewhere/catB/b.mp4")
            try link(folder + "/catB", to: "../elsewhere/catB")
            try link(folder + "/catC", to: root + "/elsewhere/catB")
            try link(folder + "/back", to: ".")
            try link(folder + "/catD", to: "../nowhere")
            try link(folder + "/up", to: "..")
            let summary = try Preparation(folder: folder, jobs: 1).run()
            #expect(try paths(summary) == ["catA/a.mp4", "catB/b.mp4"])
            #expect(
                try rejects(folder) == [
                    ["catD", "no such file", "a link to ../nowhere: nothing is there"],
                    ["up", "a link that leads back", "a link to .., in which \(folder) lies itself"],
                ])
            #expect(summary.counts.rejects == [.missing: 1, .leadsAbove: 1])

            // Nothing but links; and nothing but links to nothing.
            try make(root + "/links")
            try link(root + "/links/catB", to: "../elsewhere/catB")
            #expect(try paths(Preparation(folder: root + "/links", jobs: 1).run()) == ["catB/b.mp4"])
            try make(root + "/dangling")
            try link(root + "/dangling/catB", to: "../nowhere")
            let error = #expect(throws: PreparationError.self) { try Preparation(folder: root + "/dangling", jobs: 1).run() }
            #expect(error?.description.contains("1 no such file") == true, "\(String(describing: error))")
            #expect(try rejects(root + "/dangling").map { $0[0] } == ["catB"])
        }
    }

    @Test func linkedFoldersOfFramesArePrepared() throws {
        try withTemporaryFolder { root in
            for name in ["frames/one", "elsewhere/two"] {
                try make(root + "/" + name)
                for frame in 0..<3 { try writeTestPicture(root + "/\(name)/\(frame).png", frame: frame) }
                try Data("Mac".utf8).write(to: URL(fileURLWithPath: root + "/\(name)/._0.png"))
            }
            try writeTestPicture(root + "/frames/beside.png", frame: 0)
            for name in ["one/3.bmp", "one/4.BMP", "one/notes.txt"] {
                try Data().write(to: URL(fileURLWithPath: root + "/frames/" + name))
            }
            try link(root + "/frames/linked", to: "../elsewhere/two")
            try link(root + "/frames/back", to: ".")
            let transcoding = Transcoding(shortSide: 32, pictureRate: Rational(25, 1))
            let summary = try Preparation(folder: root + "/frames", output: root + "/out", transcoding: transcoding, jobs: 1).run()
            #expect(try summary.manifest.records().map(\.path) == ["linked.mp4", "one.mp4"])
            #expect(try summary.manifest.records().map(\.frameCount) == [3, 3])
            #expect(
                summary.passedOver.note == "left out 2 files: 2 .bmp; frames are read from .jpeg .jpg .png; "
                    + "left out 1 picture beside the folders; each video has a folder of its own")
        }
    }

    /// A folder of results inside the folder of videos would be more videos, by whatever name it is reached.
    @Test func resultsMayNotLieAmongTheVideos() throws {
        try withTemporaryFolder { root in
            for name in ["videos/a", "elsewhere/b", "out"] { try make(root + "/" + name) }
            try writeTestClip(root + "/videos/a/a.mp4", width: 32, height: 32, frames: 4)
            try link(root + "/videos/b", to: "../elsewhere")
            try link(root + "/short", to: "videos/a")
            for output in ["videos", "videos/new", "elsewhere", "elsewhere/new/er", "short/new", "videos/b/b"] {
                let error = #expect(throws: PreparationError.self, "\(output)") {
                    try Preparation(folder: root + "/videos", output: root + "/" + output, transcoding: Transcoding(), jobs: 1).run()
                }
                #expect(error?.description.contains("choose an output outside") == true, "\(String(describing: error))")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/elsewhere") == ["b"])
        }
    }

    // MARK: Names

    private static let names: [[UInt8]] = [
        "caf\u{e9}.mp4", "cafe\u{301}.mp4", "new\nline.mp4", "tab\t.mp4", "-dash.mp4", "--jobs.mp4", "back\\slash.mp4", " space .mp4",
        "\u{1b}[2J.mp4", "quote\".mp4", "%41.mp4", "漢字🎬.MP4", String(repeating: "x", count: 251) + ".mp4",
    ].map { Array($0.utf8) }
    private static let unusable: [[UInt8]] = [Array("b".utf8) + [0xff] + Array(".mp4".utf8), [0xe9] + Array(".mp4".utf8)]

    @Test("names are bytes: each file is listed under its own, or rejected by it", arguments: [false, true])
    func names(transcodes: Bool) throws {
        try withTemporaryFolder { root in
            let folder = root + "/videos"
            try make(folder)
            let sorted = (Self.names + Self.unusable).sorted { $0.lexicographicallyPrecedes($1) }
            // Each has a number of frames of its own.
            for (index, name) in sorted.enumerated() {
                let clip = try writeTestClip(root + "/clip.mp4", width: 32, height: 32, frames: 4 + index)
                try copy(clip, to: name, in: folder)
            }
            let output = transcodes ? root + "/out" : folder
            func prepare() throws -> Preparation.Summary {
                try Preparation(folder: folder, output: output, transcoding: transcodes ? Transcoding(shortSide: 32) : nil, jobs: 2).run()
            }
            let summary = try prepare()
            let records = try summary.manifest.records()
            func expectedName(_ name: [UInt8]) -> [UInt8] { transcodes ? name.dropLast(4) + Array(".mp4".utf8) : name }
            let good = sorted.filter { !Self.unusable.contains($0) }
            #expect(records.map { Array($0.path.utf8) } == good.map(expectedName).sorted { $0.lexicographicallyPrecedes($1) })
            for record in records {
                let source = try #require(sorted.firstIndex { expectedName($0) == Array(record.path.utf8) })
                #expect(record.frameCount == 4 + source, "\(record.path)")
                let reader = PictureReader(media: MediaRoot(output))
                var pixels = [UInt8](repeating: 0, count: 16 * 16 * 3)
                let request = PictureRequest(frame: 3 + source, box: CropBox(x: 0, y: 0, width: 32, height: 32), size: 16)
                try pixels.withUnsafeMutableBytes { pixels in try reader.read([request], of: record) { _ in pixels } }
            }
            #expect(try rejects(output).map { $0[0] } == ["\\xe9.mp4", "b\\xff.mp4"])
            #expect(try rejects(output).allSatisfy { $0[1] == "unusable name" && $0[2].contains("rename") })
            #expect(try prepare().counts.unchanged == good.count)
        }
    }

    /// What lies in a folder whose name is not UTF-8 is rejected file by file.
    @Test func foldersOfUnusableNames() throws {
        try withTemporaryFolder { root in
            let clip = try writeTestClip(root + "/a.mp4", width: 32, height: 32, frames: 4)
            let place = Array((root + "/b").utf8) + [0xff, 0]
            try #require(place.withUnsafeBytes { mkdir($0.baseAddress!.assumingMemoryBound(to: CChar.self), 0o700) } == 0)
            for name in ["x.mp4", "y.mp4"] { try copy(clip, to: [0x62, 0xff, 0x2f] + Array(name.utf8), in: root) }
            let summary = try Preparation(folder: root, jobs: 1).run()
            #expect(try paths(summary) == ["a.mp4"])
            #expect(try rejects(root).map { $0[0] } == ["b\\xff/x.mp4", "b\\xff/y.mp4"])
        }
    }

    /// An unusable name of a picture is a matter of its video, and of no other.
    @Test func picturesOfUnusableNames() throws {
        try withTemporaryFolder { root in
            for name in ["good", "bad"] {
                try make(root + "/frames/" + name)
                for frame in 0..<3 { try writeTestPicture(root + "/frames/\(name)/\(frame).png", frame: frame) }
            }
            try copy(root + "/frames/bad/2.png", to: [0xff] + Array(".png".utf8), in: root + "/frames/bad")
            let transcoding = Transcoding(shortSide: 32, pictureRate: Rational(25, 1))
            let summary = try Preparation(folder: root + "/frames", output: root + "/out", transcoding: transcoding, jobs: 1).run()
            #expect(try paths(summary) == ["good.mp4"])
            #expect(try rejects(root + "/out").map { $0[0] } == ["bad", "bad/\\xff.png"])
        }
    }

    @Test func resultsHaveNamesOfTheirOwn() throws {
        try withTemporaryFolder { root in
            let clip = try writeTestClip(root + "/clip.mp4", width: 32, height: 32, frames: 4)
            let names = ["a.mkv", "a.mov", "a.mov.mp4", "a.mkv.mp4.mkv", "b.mov", "b.mp4/c.mov", "cafe\u{301}.mkv", "caf\u{e9}.mov"]
            for name in names {
                try make((root + "/videos/" + name as NSString).deletingLastPathComponent)
                try FileManager.default.copyItem(atPath: clip, toPath: root + "/videos/" + name)
            }
            let output = root + "/out"
            let summary = try Preparation(folder: root + "/videos", output: output, transcoding: Transcoding(shortSide: 32), jobs: 2).run()
            let expected = [
                "a.mkv.mp4", "a.mkv.mp4.mp4", "a.mov.mp4", "a.mov.mp4.mp4", "b.mov.mp4", "b.mp4/c.mp4", "cafe\u{301}.mp4", "caf\u{e9}.mp4",
            ]
            #expect(try paths(summary).map { Array($0.utf8) } == expected.map { Array($0.utf8) })
            #expect(summary.counts.rejects.isEmpty)
        }
    }

    // MARK: Endings

    @Test func endingsThatAreNotTakenAreTold() throws {
        try withTemporaryFolder { folder in
            let clip = try writeTestClip(folder + "/a.MP4", width: 32, height: 32, frames: 4)
            let others = (0..<9).map { "\($0).gif" } + (0..<4).map { "\($0).m2v" } + ["4.M2V", "read.me", "a.txt", "b", "._x.gif", "a.mp3"]
            for name in others { try FileManager.default.copyItem(atPath: clip, toPath: folder + "/" + name) }
            let summary = try Preparation(folder: folder, jobs: 1).run()
            #expect(try paths(summary) == ["a.MP4"])
            #expect(summary.passedOver.note == "left out 14 files: 9 .gif, 5 .m2v; --extensions takes them")

            let taken = try Preparation(folder: folder, extensions: ["gif"], jobs: 2).run()
            #expect(try paths(taken).count == 10)
            #expect(taken.passedOver.note == "left out 5 files: 5 .m2v; --extensions takes them")
            #expect(try Preparation(folder: folder, extensions: ["gif", "m2v"], jobs: 2).run().passedOver.note == nil)

            try FileManager.default.removeItem(atPath: clip)
            let error = #expect(throws: PreparationError.self) { try Preparation(folder: folder, jobs: 1).run() }
            #expect(error?.description.hasSuffix(".wmv; left out 14 files: 9 .gif, 5 .m2v; --extensions takes them") == true)
        }
    }

    /// Every ending that libav itself gives the containers that are read, but for sound and pictures.
    @Test(arguments: [
        "mov", "mp4", "3gp", "3g2", "mj2", "psp", "ismv", "f4v", "mkv", "mk3d", "webm", "avi", "flv", "m4v", "ogg", "h26l", "h264", "264",
        "avc", "hevc", "h265", "265", "obu", "nut", "dv", "dif", "y4m", "ts", "m2t", "m2ts", "mts", "mpg", "mpeg", "vob", "m1v", "m2v",
        "rm",
        "rmvb", "wtv", "gif", "asf", "wmv", "ivf", "mxf", "ogv",
    ])
    func endingsOfLibav(ending: String) { #expect(videoExtensions.contains(ending) != rareVideoExtensions.contains(ending)) }
}

private func writeTestPicture(_ path: String, frame: Int) throws {
    try writePNG(RGBImage(width: 32, height: 32, pixels: testPicture(width: 32, height: 32, frame: frame)), to: path)
}
