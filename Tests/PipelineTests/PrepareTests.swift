import Base
import Foundation
import Media
import Sampling
import TestSupport
import Testing

@Suite struct PrepareTests {
    /// Rights leave no trace in a file: what could not be read for want of them is looked at again. To the system's administrator all files
    /// are readable, so the program runs as nobody there.
    @Test(
        "what a user could not read is read again",
        .enabled(if: getuid() != 0 || Programs.find("setpriv") != nil, "needs setpriv, or another user than root"))
    func rightsThatChange() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.copyItem(atPath: Programs.folder + "/tandem", toPath: folder + "/tandem")
            try FileManager.default.createDirectory(atPath: folder + "/videos", withIntermediateDirectories: true)
            let pixels = [UInt8](repeating: 99, count: 64 * 64 * 3)
            for name in ["a", "b"] {
                var writer = try VideoWriter(
                    path: "\(folder)/videos/\(name).mp4", width: 64, height: 64, framesPerSecond: Rational(25, 1))
                for _ in 0..<3 { try pixels.withUnsafeBytes { try writer.write(rgb: $0) } }
                try writer.finish()
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder)
            func prepare() throws -> (status: Int32, output: String) {
                let command = ["\(folder)/tandem", "prepare", "\(folder)/videos", "--output", "\(folder)/out"]
                guard getuid() == 0 else { return try Programs.run(path: command[0], Array(command.dropFirst())) }
                return try Programs.run(
                    path: try #require(Programs.find("setpriv")), ["--reuid=65534", "--clear-groups", "--regid=65534"] + command)
            }
            try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: folder + "/videos/b.mp4")
            let before = try prepare()
            #expect(before.status == 0 && before.output.contains("1 rejected: 1 no permission"), "\(before.output)")
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder + "/videos/b.mp4")
            let after = try prepare()
            #expect(after.status == 0 && after.output.contains("2 videos with 6 frames"), "\(after.output)")
        }
    }

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
