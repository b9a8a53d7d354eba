import Files
import Testing

@Suite struct PlaceTests {
    @Test(arguments: [
        ("a", "."), ("ä", "."), ("ab", "."), ("a/", "."), ("/a", "/"), ("a/b", "a"), ("a/b/", "a"), ("/a/b", "/a"), ("./a", "."), ("", "."),
    ])
    func folderOfAPath(_ path: String, _ expected: String) { #expect(folderName(of: path) == expected) }
}
