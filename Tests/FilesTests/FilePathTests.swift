import Files
import Testing

@Suite struct FilePathTests {
    @Test func twoSpellingsOfAWordAreTwoNames() {
        let (composed, decomposed) = ("caf\u{e9}.mp4", "cafe\u{301}.mp4")
        #expect(composed == decomposed, "Swift holds them for equal")
        #expect(FilePath(composed) != FilePath(decomposed))
        #expect(Set([FilePath(composed), FilePath(decomposed)]).count == 2)
        #expect(FilePath(decomposed) < FilePath(composed), "65 comes before c3")
    }

    @Test(arguments: [
        ("a.mp4", "mp4"), ("A.MP4", "mp4"), ("b.c/d", ""), ("b/c.tar.GZ", "gz"), ("no", ""), ("end.", ""), (" . ts", " ts"),
        ("kelvin.m\u{212a}v", "m\u{212a}v"), ("accent.\u{301}mp4", "\u{301}mp4"),
    ])
    func endings(path: String, ending: String) { #expect(FilePath(path).ending.utf8.elementsEqual(ending.utf8)) }

    @Test(arguments: [
        ("._a.mp4", true), (".a", true), ("a/.b", true), (".a/b", false), ("a.b", false), ("..", true), (".\u{301}a", true), ("", false),
    ])
    func hiddenNames(path: String, isHidden: Bool) { #expect(FilePath(path).isHidden == isHidden) }

    @Test func namesAreShownAsATerminalCanShowThem() {
        #expect(
            "\(FilePath(bytes: Array("b".utf8) + [0xff, 0xc3] + Array("é\n\u{1b}[2J\\.mp4".utf8)))" == "b\\xff\\xc3é\\x0a\\x1b[2J\\.mp4")
        #expect("\(FilePath("漢字 🎬 cafe\u{301}"))" == "漢字 🎬 cafe\u{301}")
        #expect("\(FilePath("\u{85}"))" == "\\xc2\\x85")
        #expect(FilePath(bytes: [0xff]).text == nil)
    }
}
