import Base
import Console
import Foundation
import Testing

/// What the last line of a program says of an error.
@Suite struct ProgramTests {
    @Test func ourErrorsAreTheirSentence() {
        #expect(sentence(of: Failure("a.mp4 is empty; download it again")) == "a.mp4 is empty; download it again")
    }

    /// Foundation's errors describe themselves by domain, code and a dictionary: the user gets file and reason.
    @Test(arguments: ["/nowhere/a.json", "/proc/version/b"]) func systemErrorsNameFileAndReason(path: String) throws {
        let errors = [
            #expect(throws: (any Error).self) { try Data(contentsOf: URL(fileURLWithPath: path)) },
            #expect(throws: (any Error).self) { try Data().write(to: URL(fileURLWithPath: path)) },
            #expect(throws: (any Error).self) { try Data().write(to: URL(fileURLWithPath: path), options: .atomic) },
            #expect(throws: (any Error).self) { try FileManager.default.contentsOfDirectory(atPath: path) },
            #expect(throws: (any Error).self) { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) },
            #expect(throws: (any Error).self) { try String(contentsOfFile: path, encoding: .utf8) },
        ]
        for error in errors {
            let words = sentence(of: try #require(error))
            #expect(words.hasPrefix("/nowhere") || words.hasPrefix("/proc/version"), "\(words)")
            #expect(words.contains("No such file") || words.contains("Not a directory"), "\(words)")
            for part in ["Domain", "Code", "UserInfo", "Optional"] { #expect(!words.contains(part), "\(words)") }
        }
    }
}
