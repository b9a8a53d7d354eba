import Foundation
import Sampling
import TestSupport
import Testing

/// `tandem run` and its processes, with shell scripts in the places of the other programs.
///
/// What a process started may outlive it and keep its output open, as the program does that prints a crash: the heir.
@Suite struct SupervisorTests {
    /// Runs a pipeline with these scripts, and for programs that have none one that runs until it is stopped. Expects that the heir, whose id
    /// a script has written into a file, still runs at the end, and ends it.
    private func run(_ scripts: [String: String]) throws -> (status: Int32, output: String) {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: Programs.folder + "/tandem", toPath: folder.file("tandem"))
        for name in ["trainer", "batcher", "decoder", "evaluator"] {
            let path = folder.file("tandem-" + name)
            try Data("#!/bin/sh\n\(scripts[name] ?? "exec sleep 3000")\n".utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        var manifest = try ManifestWriter(path: folder.file("manifest.tandem"))
        try manifest.append(
            VideoRecord(
                path: "a.mp4", bytes: 1, width: 32, height: 24, timeBase: Rational(1, 30), timestamps: .even(start: 0, step: 1, count: 2),
                keyFrames: [0], contentHash: String(repeating: "0", count: 32)))
        _ = try manifest.finish()
        let pipeline = "{ name: 'heirs', data: { media: '\(folder.path)' }, dataflow: { decoders: 1 } }"
        try Data(pipeline.utf8).write(to: URL(fileURLWithPath: folder.file("heirs.json5")))
        let status = try Programs.run(path: "/bin/sh", ["-c", "cd '\(folder.path)' && exec ./tandem run heirs.json5 >output 2>&1"]).status
        let heir = try #require(Int32(String(contentsOfFile: folder.file("heir"), encoding: .utf8).dropLast()))
        #expect(kill(heir, SIGKILL) == 0, "the run waited for the heir")
        return (status, try String(contentsOfFile: folder.file("output"), encoding: .utf8))
    }

    @Test(.timeLimit(.minutes(30))) func theTrainersEndEndsTheRun() throws {
        let (status, output) = try run(["trainer": "sleep 3000 & echo $! >heir; exit 0"])
        #expect(status == 0, "\(output)")
    }

    @Test(.timeLimit(.minutes(30))) func theTrainersErrorEndsTheRun() throws {
        let (status, output) = try run(["trainer": "sleep 3000 & echo $! >heir; exit 3"])
        #expect(status == 1 && output.contains("trainer ended with exit code 3"), "\(output)")
    }

    @Test(.timeLimit(.minutes(30))) func aKilledDecoderIsStartedAgain() throws {
        let (status, output) = try run([
            "trainer": "while [ ! -e again ]; do sleep 0.05; done",
            "decoder": "[ ! -e heir ] || { touch again; exec sleep 3000; }; sleep 3000 & echo $! >heir; kill -KILL $$",
        ])
        #expect(status == 0 && output.contains("ended with signal 9 (Killed); starting it again"), "\(output)")
    }

    /// Where it is killed itself, it can stop nothing: its processes are asked to by the system.
    @Test(.timeLimit(.minutes(30))) func theProcessesOfAKilledSupervisorStop() throws {
        let folder = try TemporaryFolder()
        let endpoint = "ipc://\(folder.path)/nobody"
        let supervisor = try Programs.start("tandem", ["decoders", "--connect", endpoint, "--media", folder.path], in: folder.path)
        for number in 1...2 { try wait(for: "decoder-\(number) | waiting for the batcher", in: supervisor) }
        #expect(processes(named: "tandem-decoder", with: endpoint).count == 2)
        supervisor.signal(SIGKILL)
        while !processes(named: "tandem-decoder", with: endpoint).isEmpty { usleep(10_000) }
    }
}
