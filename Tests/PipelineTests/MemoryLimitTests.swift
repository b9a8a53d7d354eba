import Foundation
import Media
import Sampling
import TestSupport
import Testing

@Suite struct MemoryLimitTests {
    @Test(
        arguments: [
            ("2", "--memory 2: 2.0 MiB are too few"), ("0", "--memory wants 1 to 8796093022207 MiB, not 0"),
            ("9223372036854775807", "--memory wants 1 to 8796093022207 MiB, not 9223372036854775807"),
        ])
    func whatCannotBeKeptIsRefused(memory: String, expected: String) throws {
        try withTemporaryFolder { folder in
            let (status, output) = try Programs.run(
                "tandem-decoder", ["--connect", "ipc://\(folder)/nobody", "--media", folder, "--memory", memory, "--timeout", "1"],
                in: folder, seconds: 30)
            #expect((status == 1 || status == 2) && output.contains(expected), "status \(status): \(output)")
        }
    }

    /// 1000 blocks of 65,536 numbers have 12 · 65,536² · 1000 parameters at least, some 750 TiB with the optimizer's: told before any is made.
    @Test func aModelThatNoMachineHoldsIsRefused() throws {
        let data = try TinyDataSet()
        let run = try data.start(
            in: try data.makeFolder("huge"), settings: ["model.size={patch: 8, width: 65536, depth: 1000, heads: 2}"])
        let (status, output) = Programs.finish(run)
        #expect(status == 1 && output.contains("the model has 51") && output.contains("take a smaller model"), "\(output)")
        #expect(!output.contains("out of memory") && !output.contains("Fatal error"), "\(output)")
    }

    /// A video whose pictures do not fit is replaced, and the decoder goes on with the others.
    @Test(.timeLimit(.minutes(30))) func aVideoThatWantsTooMuchMemoryIsReplaced() throws {
        let data = try TinyDataSet()
        var writer = try VideoWriter(
            path: data.folder + "/train/big.mp4", width: 8192, height: 4096, framesPerSecond: Rational(30, 1),
            options: .init(preset: "ultrafast"))
        for _ in 0..<4 { try [UInt8](repeating: 90, count: 8192 * 4096 * 3).withUnsafeBytes { try writer.write(rgb: $0) } }
        try writer.finish()
        let (prepared, report) = try Programs.run("tandem", ["prepare", data.folder + "/train"], in: data.folder)
        #expect(prepared == 0, "\(report)")

        let folder = try data.makeFolder("memory")
        let run = try data.start(in: folder, settings: ["dataflow.decoders=0", "dataflow.failureLimit=0.9", "train.steps=20"])
        let decoder = try Programs.start(
            "tandem-decoder", ["--connect", "ipc://runs/tiny/batcher", "--media", data.folder + "/train", "--memory", "160"], in: folder)
        let (status, output) = Programs.finish(run)
        decoder.signal(SIGTERM)
        #expect(Programs.finish(decoder).status == 0)
        #expect(status == 0, "\(output)")
        let replaced = output.split(separator: "\n").filter { $0.contains("| replaced") }
        #expect(!replaced.isEmpty && replaced.allSatisfy { $0.contains("replaced big.mp4") }, "\(output)")
    }
}
