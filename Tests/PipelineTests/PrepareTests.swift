import Base
import Foundation
import Media
import Sampling
import TestSupport
import Testing

@Suite struct PrepareTests {
    @Test("a disk that takes no more ends the preparation with a remedy, and running again goes on") func fullDisk() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/videos", withIntermediateDirectories: true)
            for index in 0..<3 {
                // Noise: what no encoder makes small.
                var numbers = SplitMix64(seed: UInt64(index))
                var writer = try VideoWriter(
                    path: folder + "/videos/\(index).mp4", width: 128, height: 128, framesPerSecond: Rational(25, 1))
                for _ in 0..<(index == 0 ? 2 : 40) {
                    let pixels = (0..<128 * 128 * 3).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
                    try pixels.withUnsafeBytes { try writer.write(rgb: $0) }
                }
                try writer.finish()
            }
            // A limit on the size of files stands for the full disk: 200 blocks of 512 or 1,024 bytes.
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/sh")
            shell.arguments = [
                "-c", "trap '' XFSZ; ulimit -f 200; exec \"$0\" prepare --jobs 1 --transcode small videos >output 2>&1",
                Programs.folder + "/tandem",
            ]
            shell.currentDirectoryURL = URL(fileURLWithPath: folder)
            try shell.run()
            shell.waitUntilExit()
            let output = try String(contentsOfFile: folder + "/output", encoding: .utf8)
            #expect(shell.terminationStatus == 1, "\(output)")
            #expect(output.contains("small/1.mp4: cannot write: ") && output.contains("File too large"), "\(output)")
            #expect(output.contains("1 of 3 videos are done") && output.contains("run it again to go on"), "\(output)")
            #expect(!FileManager.default.fileExists(atPath: folder + "/small/manifest.tandem"))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder + "/small").sorted()
            #expect(left == [".prepare-journal.jsonl", ".tandem-made", "0.mp4"])

            let (status, report) = try Programs.run("tandem", ["prepare", "--transcode", "small", "videos"], in: folder)
            #expect(status == 0, "\(report)")
            #expect(report.contains("3 videos with 82 frames") && report.contains("1 files were unchanged"), "\(report)")
        }
    }
}
