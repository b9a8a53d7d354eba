import Files
import Foundation
import TestSupport
import Testing

@Suite struct FolderTreeTests {
    /// Makes files, empty ones, and links, "NAME -> TARGET", in a folder.
    private func withTree(_ paths: [String], _ body: (String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            for path in paths {
                let parts = path.components(separatedBy: " -> ")
                let place = folder + "/" + parts[0]
                try FileManager.default.createDirectory(
                    atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                if parts.count == 2 {
                    try #require(symlink(parts[1], place) == 0)
                } else {
                    try Data().write(to: URL(fileURLWithPath: place))
                }
            }
            try body(folder)
        }
    }

    private func files(_ tree: FolderTree) -> [String] { tree.files.map { "\($0)" }.sorted() }

    @Test(
        "linked folders are followed, once, never in circles",
        arguments: [
            // The link's name, where a folder has no other in the tree.
            (["v/a/1", "else/2", "v/b -> ../else"], ["a/1", "b/2"]),
            // Back to the folder itself, to one above, to one beside, to one below, by another link.
            (["v/a/1", "v/back -> ."], ["a/1"]),
            (["v/a/1", "v/a/b/back -> ../../a", "v/a/b/2"], ["a/1", "a/b/2"]),
            (["v/a/1", "v/b/2", "v/b/beside -> ../a"], ["a/1", "b/2"]),
            (["v/Z -> a/b", "v/a/b/1"], ["a/b/1"]),
            (["v/x -> y", "v/y -> z", "v/z -> ../else", "else/1"], ["x/1"]),
            // Two links to one folder, and one to a folder inside it.
            (["else/in/1", "v/a -> ../else", "v/b -> ../else", "v/c -> ../else/in"], ["a/in/1"]),
            (["else/in/1", "else/2", "v/a -> ../else/in", "v/b -> ../else"], ["a/1", "b/2"]),
            // Out of the tree and back into it.
            (["else/home -> ../v", "else/2", "v/a/1", "v/b -> ../else"], ["a/1", "b/2"]),
            // Links to files are files.
            (["else/1", "v/a/f -> ../../else/1", "v/a/g -> f"], ["a/f", "a/g"]),
            // Hidden ones, whatever they are, and what is behind a link with a hidden target.
            (["v/.h/1", "v/a/._b", "v/a/b", "else/3", "v/.l -> ../else", "v/c -> ../.m", ".m/4"], ["a/b", "c/4"]),
        ])
    func links(paths: [String], expected: [String]) throws {
        try withTree(paths) { folder in
            let tree = try FolderTree(folder + "/v")
            #expect(files(tree) == expected)
            #expect(tree.leftOut.isEmpty, "\(tree.leftOut)")
            // By a link to the folder, and as the place where one is.
            try #require(symlink("v", folder + "/link") == 0)
            #expect(try files(FolderTree(folder + "/link")) == expected)
            #expect(try files(FolderTree(folder + "/v/")) == expected)
        }
    }

    @Test func whatIsLeftOutIsNamed() throws {
        try withTree(["v/a/1", "v/gone -> ../nowhere", "v/a/self -> self", "v/a/up -> ../..", "beside/2"]) { folder in
            let tree = try FolderTree(folder + "/v")
            #expect(files(tree) == ["a/1"])
            let found = Dictionary(uniqueKeysWithValues: tree.leftOut.map { ("\($0.path)", $0) })
            #expect(found.keys.sorted() == ["a/self", "a/up", "gone"])
            #expect(found["gone"]?.reason == .dangling && found["gone"]?.detail == "a link to ../nowhere: nothing is there")
            #expect(found["a/self"]?.reason == .unreadable && found["a/self"]?.detail.hasPrefix("a link to self: ") == true)
            #expect(found["a/up"]?.reason == .leadsAbove)
            #expect(found["a/up"]?.detail == "a link to ../.., in which \(folder)/v lies itself")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become a user who may not read a folder"))
    func aFolderThatMayNotBeReadIsNamed() throws {
        try withTree(["v/a/1", "v/b/2", "else/3", "v/c -> ../else"]) { folder in
            for path in ["v/b", "else"] { try #require(chmod(folder + "/" + path, 0o700) == 0) }
            // The user of this thread alone, as far as files are concerned.
            let setUser = unsafeBitCast(dlsym(nil, "setfsuid"), to: (@convention(c) (UInt32) -> Int32).self)
            _ = setUser(65534)
            defer { _ = setUser(0) }
            let tree = try FolderTree(folder + "/v")
            #expect(files(tree) == ["a/1"])
            #expect(
                tree.leftOut.map { "\($0.path): \($0.detail)" }
                    == ["b", "c"].map { "\($0): the folder cannot be listed: Permission denied" })
            #expect(throws: FolderError.self) { try FolderTree(folder + "/v/b") }
        }
    }

    @Test func placesInATree() throws {
        try withTree(["v/a/1", "else/2", "v/b -> ../else", "out/3"]) { folder in
            try #require(symlink("v/a", folder + "/link") == 0)
            let tree = try FolderTree(folder + "/v")
            for inside in ["v", "v/a", "v/a/new/er", "else", "v/b/new", "else/new", "link", "link/new", "out/../v/a"] {
                #expect(tree.contains(folder + "/" + inside), "\(inside)")
            }
            for outside in ["out", "out/new", "new", "", "v2/a", "v/.."] { #expect(!tree.contains(folder + "/" + outside), "\(outside)") }
        }
    }

    @Test func namesAreBytes() throws {
        try withTemporaryFolder { folder in
            let names: [[UInt8]] = [
                Array("caf\u{e9}".utf8), Array("cafe\u{301}".utf8), [0x62, 0xff], Array("new\nline".utf8), Array("-dash".utf8),
                Array("back\\slash".utf8), Array(" space ".utf8), Array(repeating: 0x78, count: 255),
            ]
            for name in names {
                let path = Array((folder + "/").utf8) + name + [0]
                let file = path.withUnsafeBytes { open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY, 0o600) }
                try #require(file >= 0)
                close(file)
            }
            let expected = names.map { FilePath(bytes: $0) }.sorted()
            #expect(try FolderListing(folder).names == expected)
            #expect(try FolderTree(folder).files == expected)
        }
    }
}
