import Base
import Foundation
import Media
import Sampling
import TestSupport
import Testing

@Suite struct PreparationTests {
    /// Two good videos, one below in a folder, and files that are broken each in its own way.
    private func fill(_ folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder + "/below/.hidden", withIntermediateDirectories: true)
        try writeTestClip(folder + "/b.mp4", frames: 30)
        try writeTestClip(folder + "/below/a.MP4", width: 64, height: 48, frames: 12, framesPerSecond: Rational(25, 1))
        try writeTestClip(folder + "/below/.hidden/c.mp4", frames: 3)
        try writeTestClip(folder + "/single.mp4", frames: 1)
        try Data("no video".utf8).write(to: URL(fileURLWithPath: folder + "/text.mp4"))
        try Data().write(to: URL(fileURLWithPath: folder + "/empty.mkv"))
        try Data(contentsOf: URL(fileURLWithPath: folder + "/b.mp4")).prefix(1500).write(to: URL(fileURLWithPath: folder + "/cut.mp4"))
        try Data("not asked".utf8).write(to: URL(fileURLWithPath: folder + "/readme.txt"))
    }

    @Test func listsVideosAndRejects() throws {
        try withTemporaryFolder { folder in
            try fill(folder)
            let summary = try Preparation(folder: folder, jobs: 2).run()
            #expect(try summary.manifest.records().map(\.path) == ["b.mp4", "below/a.MP4"])
            #expect(try summary.manifest.records().map(\.frameCount) == [30, 12])
            #expect(summary.counts.frames == 42)
            #expect(abs(summary.counts.hours * 3600 - (29.0 / 30 + 11.0 / 25)) < 1e-9)
            #expect(summary.counts.rejects == [.cannotOpen: 2, .truncated: 1, .tooShort: 1])
            #expect(try Manifest(contentsOf: folder + "/manifest.tandem").records() == summary.manifest.records())

            let lines = try String(contentsOfFile: folder + "/rejects.jsonl", encoding: .utf8).split(separator: "\n")
            let rejects = try lines.map { try JSONDecoder().decode([String: String].self, from: Data($0.utf8)) }
            #expect(rejects.map { $0["path"] } == ["cut.mp4", "empty.mkv", "single.mp4", "text.mp4"])
            #expect(rejects.map { $0["reason"] } == ["truncated", "cannot open", "too short", "cannot open"])
            #expect(rejects.allSatisfy { $0["detail"]?.isEmpty == false })
        }
    }

    @Test func contentHashIsMD5() throws {
        try withTemporaryFolder { folder in
            try Data(contentsOf: URL(fileURLWithPath: writeTestClip(folder + "/a.mp4", frames: 5))).write(
                to: URL(fileURLWithPath: folder + "/b.mp4"))
            let records = try Preparation(folder: folder, jobs: 1).run().manifest.records()
            #expect(records[0].contentHash == records[1].contentHash)
            #expect(try records[0].contentHash == PixelHash.hexadecimal(ofFile: folder + "/a.mp4", .md5))
            #expect(try records[0].bytes == Data(contentsOf: URL(fileURLWithPath: folder + "/a.mp4")).count)
        }
    }

    @Test func goesOnWhereItWasInterrupted() throws {
        try withTemporaryFolder { folder in
            try fill(folder)
            let output = folder + "/out"
            var seen = 0
            #expect(throws: PreparationError.self) {
                _ = try Preparation(folder: folder, output: output, jobs: 1).run(shouldStop: { seen >= 1 }) { seen = $0.done }
            }
            #expect(seen < 6 || !FileManager.default.fileExists(atPath: output + "/manifest.tandem"))
            // A line that the interruption cut off.
            let journal = try #require(FileHandle(forWritingAtPath: output + "/.prepare-journal.jsonl"))
            try journal.seekToEnd()
            try journal.write(contentsOf: Data("{\"file\":{\"by".utf8))
            try journal.close()

            let second = try Preparation(folder: folder, output: output, jobs: 2).run()
            #expect(second.counts.unchanged == seen)
            let third = try Preparation(folder: folder, output: output, jobs: 2).run()
            #expect(third.counts.unchanged == 6)
            #expect(third.manifest.identity == second.manifest.identity)
            try withTemporaryFolder { fresh in
                let anew = try Preparation(folder: folder, output: fresh, jobs: 1).run()
                #expect(try anew.manifest.records() == third.manifest.records())
            }
        }
    }

    @Test func readsAgainWhatChanged() throws {
        try withTemporaryFolder { folder in
            try fill(folder)
            let first = try Preparation(folder: folder, jobs: 2).run()
            try writeTestClip(folder + "/b.mp4", frames: 20)
            try FileManager.default.removeItem(atPath: folder + "/text.mp4")
            let second = try Preparation(folder: folder, jobs: 2).run()
            #expect(second.counts.unchanged == 4)
            #expect(try second.manifest.records().map(\.frameCount) == [20, 12])
            #expect(second.manifest.identity != first.manifest.identity)
            #expect(second.counts.rejects == [.cannotOpen: 1, .truncated: 1, .tooShort: 1])
        }
    }

    @Test func nothingToPrepareIsAnError() throws {
        try withTemporaryFolder { folder in
            #expect(throws: PreparationError.self) { _ = try Preparation(folder: folder + "/missing", jobs: 1).run() }
            #expect(throws: PreparationError.self) { _ = try Preparation(folder: folder, jobs: 1).run() }
            try Data("no video".utf8).write(to: URL(fileURLWithPath: folder + "/a.mp4"))
            #expect(throws: PreparationError.self) { _ = try Preparation(folder: folder, jobs: 1).run() }
            #expect(!FileManager.default.fileExists(atPath: folder + "/manifest.tandem"))
            #expect(FileManager.default.fileExists(atPath: folder + "/rejects.jsonl"))
            #expect(throws: PreparationError.self) { _ = try Preparation(folder: folder + "/a.mp4", jobs: 1).run() }
        }
    }
}
