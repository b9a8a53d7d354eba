import Foundation
import Media
import Sampling
import Testing

@Suite struct VideoWriterTests {
    @Test func samePicturesGiveSameBytes() throws {
        try withTemporaryFolder { folder in
            let first = try writeTestClip(folder + "/a.mp4")
            let second = try writeTestClip(folder + "/b.mp4")
            #expect(try Data(contentsOf: URL(fileURLWithPath: first)) == Data(contentsOf: URL(fileURLWithPath: second)))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a.mp4", "b.mp4"])
        }
    }

    @Test func unfinishedFileDoesNotAppear() throws {
        try withTemporaryFolder { folder in
            do {
                var writer = try VideoWriter(path: folder + "/a.mp4", width: 64, height: 64, framesPerSecond: Rational(30, 1))
                try testPicture(width: 64, height: 64, frame: 0).withUnsafeBytes { try writer.write(rgb: $0) }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func refusesOddSizesAndMissingFolders() {
        #expect(throws: MediaError.self) {
            _ = try VideoWriter(path: "/nowhere/a.mp4", width: 63, height: 64, framesPerSecond: Rational(30, 1))
        }
        #expect(throws: MediaError.self) {
            _ = try VideoWriter(path: "/nowhere/a.mp4", width: 64, height: 64, framesPerSecond: Rational(30, 1))
        }
    }
}
