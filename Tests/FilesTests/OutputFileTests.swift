import Files
import Foundation
import TestSupport
import Testing

/// What a command may replace that is told to write one file.
@Suite struct OutputFileTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for (name, text) in [("own", "mark"), ("user", "a user's"), ("in", "mark"), ("frames/1.jpg", "a user's")] {
            let path = folder.file(name)
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        try FileManager.default.linkItem(atPath: folder.file("in"), toPath: folder.file("same"))
        for (name, target) in [("link", "own"), ("dangling", "nowhere"), ("door", "frames"), ("away", "user"), ("other", "in")] {
            try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: target)
        }
        mkfifo(folder.file("pipe"), 0o600)
    }

    private func check(_ name: String) throws {
        let path = folder.file(name)
        try checkOutput(file: path, inputs: [folder.file("in"), folder.file("frames"), folder.file("missing")], by: "'tandem paint'") {
            FileManager.default.contents(atPath: $0) == Data("mark".utf8)
        }
    }

    @Test(arguments: ["own", "new", "door/../new"]) func mayBeWritten(_ name: String) throws { try check(name) }

    @Test(arguments: [
        ("user", "/user is there and was not made by 'tandem paint'; choose another --output, or remove it"),
        ("in", "/in is the file that is read"), ("same", "/same is the file that is read"), ("other", "/other is the file that is read"),
        ("link", "/link is a link to own, and would be replaced"), ("away", "/away is a link to user"),
        ("dangling", "/dangling is a link to nowhere"), ("frames", "/frames is a folder; --output names a file"),
        ("frames/sheet.png", "/frames/sheet.png would lie among what is read"), ("door/sheet.png", "would lie among what is read"),
        ("pipe", "/pipe is there and is no file"), ("nowhere/a", "there is no folder"), ("user/a", "there is no folder"),
        ("new/", "--output wants the name of a file"),
    ])
    func mayNot(_ name: String, _ expected: String) throws {
        do {
            try check(name)
            Issue.record("\(name) may be written")
        } catch { #expect("\(error)".contains(expected)) }
    }
}
