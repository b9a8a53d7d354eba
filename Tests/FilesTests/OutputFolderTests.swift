import Files
import Foundation
import TestSupport
import Testing

/// What a command may replace in a folder that it fills.
@Suite struct OutputFolderTests {
    private let folder: TemporaryFolder
    private var out: String { folder.file("out") }

    init() throws { folder = try TemporaryFolder() }

    private func claim(
        _ path: String? = nil, by command: String = "tandem paint", source: String? = nil, inputs: [String] = [],
        names: [String] = ["list.txt"], older: [String] = []
    ) throws -> OutputFolder {
        try OutputFolder(path ?? out, by: command, task: "painting", source: source, inputs: inputs, names: names, older: older)
    }

    private func write(_ text: String, _ name: String) throws {
        let path = folder.file(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: target)
    }

    private func refusal(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "nothing was refused"
        } catch { return "\(error)" }
    }

    @Test func whatIsReadIsNotReplaced() throws {
        let first = try claim()
        try first.claim(["a.png"])
        try write("ours", "out/a.png")
        first.release()
        try link("alias.png", to: "out/a.png")
        for input in [out + "/a.png", folder.file("alias.png")] {
            let again = try claim(inputs: [input])
            #expect(
                refusal { try again.claim(["a.png"]) }
                    == "\(out)/a.png would be replaced and is what is read, \(input); choose another output")
            again.release()
        }
    }

    @Test func aLinkWhereAListedFileWasIsSomebodys() throws {
        let first = try claim()
        try write("ours", "out/list.txt")
        first.release()
        try FileManager.default.removeItem(atPath: out + "/list.txt")
        try write("a user's", "mine.txt")
        try link("out/list.txt", to: "../mine.txt")
        #expect(refusal { _ = try claim() } == "\(out)/list.txt is there and was not made by this painting; choose an empty folder")
    }

    /// A pipe waits for somebody who writes into it.
    @Test func aListThatIsNoFileIsRefused() throws {
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        #expect(mkfifo(out + "/.tandem-made", 0o600) == 0)
        #expect(refusal { _ = try claim() } == "\(out)/.tandem-made is there, and is no file; choose an empty folder")
    }

    @Test func whatIsThereIsKeptAndWhatWasMadeIsReplaced() throws {
        let first = try claim()
        try first.claim(["a.png", "b/"])
        try write("ours", "out/a.png")
        try write("ours", "out/b/0.png")
        first.release()

        try write("a user's", "out/c.png")
        try write("a user's", "out/d/0.png")
        let second = try claim()
        try second.claim(["a.png", "b/", "e.png"])
        let sentence = "is there and was not made by this painting; choose an empty folder"
        #expect(refusal { try second.claim(["f.png", "c.png"]) } == "\(out)/c.png \(sentence)")
        #expect(refusal { try second.claim(["d/"]) } == "\(out)/d \(sentence)")
        try write("a user's", "out/f.png")
        #expect(refusal { try second.claim(["f.png"]) } == "\(out)/f.png \(sentence)", "a refused claim claims nothing")
        // What was claimed and never made is anybody's afterwards.
        second.release()
        try write("a user's", "out/e.png")
        #expect(refusal { try claim().claim(["e.png"]) } == "\(out)/e.png \(sentence)")
        #expect(throws: Never.self) { try claim().claim(["a.png", "b/"]) }
    }

    @Test func aFolderOfSomebodyIsLeftAsItWas() throws {
        try write("a user's", "out/list.txt")
        #expect(refusal { _ = try claim() } == "\(out)/list.txt is there and was not made by this painting; choose an empty folder")
        #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["list.txt"])
        // A version without lists may have made it.
        _ = try claim(older: ["list.txt"])
        _ = try claim()
    }

    @Test func emptyFoldersAreFree() throws {
        try FileManager.default.createDirectory(atPath: out + "/parts", withIntermediateDirectories: true)
        try claim(names: ["parts/"]).claim(["parts/"])
    }

    @Test func resultsOfOthersStay() throws {
        try claim(source: "/train").release()
        try write("ours", "out/list.txt")
        _ = try claim(source: "/train")
        #expect(
            refusal { _ = try claim(source: "/val") }
                == "\(out)/list.txt is there and was not made by this painting, but by 'tandem paint' of /train; choose an empty folder")
        #expect(refusal { _ = try claim(by: "tandem draw") }.contains("but by 'tandem paint' of /train"))
        try write("[1]", "other/.tandem-made")
        #expect(refusal { _ = try claim(folder.file("other")) }.contains("is no list of what Tandem made"))
    }

    @Test func oneAtATime() throws {
        let first = try claim()
        #expect(refusal { _ = try claim() } == "\(out) is in use by another painting; wait until it ends, or choose an empty folder")
        first.release()
        _ = try claim()
    }

    /// What a process left behind that was killed while it wrote the list.
    @Test(arguments: ["", "\n"]) func aListThatWasCutOffAtOnceIsNone(_ text: String) throws {
        try write(text, "out/.tandem-made")
        _ = try claim()
        try write("ours", "out/list.txt")
        _ = try claim()
    }

    @Test func aLineThatWasCutOffIsNone() throws {
        let first = try claim()
        try first.claim(["a.png"])
        try write("ours", "out/a.png")
        first.release()
        let list = try #require(FileHandle(forWritingAtPath: out + "/.tandem-made"))
        try list.seekToEnd()
        try list.write(contentsOf: Data("\n\"b.p".utf8))
        try claim().claim(["a.png", "c.png"])
        try claim().claim(["a.png"])
    }

    @Test func outputInsideAnInputIsRefused() throws {
        try write("a user's", "in/sub/a.mp4")
        try link("door", to: folder.file("in/sub"))
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        try link("out/inner", to: "../in/sub")
        let input = folder.file("in")
        for place in ["in", "in/", "in/new/er", "in/sub/..", "door", "door/new", "none/../in/new", "./in/sub"] {
            let path = folder.file(place)
            #expect(refusal { _ = try claim(path, inputs: [input]) }.contains("is part of \(input), which is read"), "\(place)")
            #expect(!FileManager.default.fileExists(atPath: folder.file("in/new")), "\(place)")
        }
        #expect(refusal { try claim(inputs: [input]).claim(["inner/b.mp4"]) }.contains("/inner is part of \(input)"))
        _ = try claim(folder.file("inside"), inputs: [input])
        _ = try claim(folder.file("in2"), inputs: [input, folder.file("missing")])
    }

    @Test func whatIsNoFolderIsNamed() throws {
        try write("a user's", "file")
        try link("dangling", to: "nowhere")
        #expect(refusal { _ = try claim(folder.file("file")) }.contains("/file is a file, and a folder is wanted"))
        #expect(refusal { _ = try claim(folder.file("file/sub")) }.contains("/file/sub: cannot make the folder"))
        #expect(refusal { _ = try claim(folder.file("dangling")) }.contains("is a link to nowhere, where no folder is"))
        try write("a user's", "out/sub")
        #expect(refusal { try claim().claim(["sub/a.mp4"]) }.hasPrefix("\(out)/sub is there and was not made by this painting"))
    }

    /// The link would be replaced, and it is the user's.
    @Test func whatWasMadeAndIsALinkNowIsKept() throws {
        let first = try claim()
        try first.claim(["a.png"])
        try write("moved", "a.png")
        try link("out/a.png", to: folder.file("a.png"))
        first.release()
        #expect(refusal { try claim().claim(["a.png"]) }.contains("out/a.png is there"))
    }

    @Test func filesElsewhereCanBeClaimed() throws {
        let log = folder.file("samples.log")
        try link("door", to: "out")
        let first = try claim()
        try first.claim(outside: log)
        try write("ours", "samples.log")
        first.release()
        try claim(folder.file("door")).claim(outside: log)
        #expect(refusal { try claim(folder.file("other")).claim(outside: log) }.contains("\(log) is there"))
        // A copy of both is a pair of its own.
        try FileManager.default.createDirectory(atPath: folder.file("copy"), withIntermediateDirectories: true)
        for name in ["out", "samples.log"] {
            try FileManager.default.copyItem(atPath: folder.file(name), toPath: folder.file("copy/" + name))
        }
        try claim(folder.file("copy/out")).claim(outside: folder.file("copy/samples.log"))
        #expect(refusal { try claim(folder.file("copy/out")).claim(outside: log) }.contains("\(log) is there"))
    }
}
