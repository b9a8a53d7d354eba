import Foundation
import TestSupport
import Testing

/// What users get wrong: one sentence that says what, where and what to do, and an exit code that is not 0.
@Suite struct ErrorTests {
    @Test(arguments: [
        (["run", "missing.json5"], "missing.json5: no such pipeline file"),
        (["run", "typo.json5"], "line 1: there is no key 'ratoi' in 'mask'"),
        (["run", "empty.json5"], "there is no manifest; make one with 'tandem prepare"),
        (["run", "empty.json5", "--set", "mask.ratio=1"], "from 0 to below 1"),
        (["run", "empty.json5", "--set", "model.decoder=both"], "it wants \"cross-self\", \"cross\" or \"joint\""),
        (["run"], "PIPELINE is missing"),
        (["verify"], "say what to verify"),
        (["verify", "physics"], "'physics' cannot be verified"),
        (["verify", "maths"], "FILE is missing"),
        (["verify", "maths", "missing.safetensors"], "cannot read missing.safetensors"),
        (["verify", "maths", "typo.json5"], "typo.json5 is no file of weights that can be read"),
        (["verify", "maths", "--precision", "f16", "x"], "--precision wants f32 or bf16, not 'f16'"),
        (["bench", "stairs"], "there is no benchmark 'stairs'"),
        (["bench", "steps"], "did you mean 'step'?"),
        (["run", "empty.json5", "--seed", "1"], "there is no option --seed; did you mean --set?"),
        (["run", "empty.json5", "--bind", "ipc://a", "--bind=ipc://b"], "--bind takes one value, not ipc://a and ipc://b"),
        (["bench", "step", "--batch", "0"], "train.batch: is 0"),
        (["bench", "step", "--model", "huge"], "model.size: is not known"),
        (["runn"], "there is no command 'runn'; did you mean 'run'?"),
        (["prepare", "nowhere"], "nowhere"),
        (["prepare", "."], "no "),
        (["prepare", "http://127.0.0.1/videos"], "http://127.0.0.1/videos is a server; prepare the folder that it serves"),
        (["run", "empty.json5", "--set", "data.media=http://127.0.0.1/videos"], "data.media is a server: name the manifest too"),
        (["evaluate", "--weights", "missing.safetensors", "--root", "."], "no list of sequences"),
        (["decoders", "--connect", "tcp://127.0.0.1:1"], "--media FOLDER is missing"),
    ])
    func saysWhatIsWrong(arguments: [String], expected: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("{ mask: { ratoi: 0.5 } }".utf8).write(to: URL(fileURLWithPath: folder + "/typo.json5"))
        try Data("{ data: { media: 'videos' } }".utf8).write(to: URL(fileURLWithPath: folder + "/empty.json5"))
        let (status, output) = try Programs.run("tandem", arguments, in: folder, seconds: 20)
        #expect(status == 1 || status == 2)
        #expect(output.contains(expected), "\(output)")
        #expect(!output.contains("Fatal error"), "\(output)")
    }

    @Test(arguments: ["tandem", "tandem-decoder", "tandem-batcher", "tandem-trainer", "tandem-evaluator"])
    func everyProgramHasHelp(program: String) throws {
        let (status, output) = try Programs.run(program, ["--help"], in: NSTemporaryDirectory(), seconds: 20)
        #expect(status == 0)
        #expect(output.contains("usage: \(program)"))
    }

    /// Every program and command, at two widths; only a word that is longer than its column may stand out.
    @Test(arguments: [
        "tandem", "tandem demo", "tandem prepare", "tandem run", "tandem decoders", "tandem evaluate", "tandem ablate", "tandem visualize",
        "tandem visualize reconstructions", "tandem visualize attention", "tandem visualize correspondence", "tandem visualize overlays",
        "tandem keys", "tandem export", "tandem import", "tandem inspect", "tandem health", "tandem check-log", "tandem frames",
        "tandem verify", "tandem verify maths", "tandem synthesize", "tandem bench", "tandem bench step", "tandem bench ops",
        "tandem bench decode", "tandem bench dataflow", "tandem bench propagation", "tandem system", "tandem-batcher", "tandem-decoder",
        "tandem-trainer", "tandem-evaluator",
    ])
    func helpFitsTheTerminal(command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        for width in [60, 80] {
            let folder = try TemporaryFolder()
            let program = try Programs.start(
                words[0], words.dropFirst() + ["--help"], in: folder.path, environment: ["COLUMNS": "\(width)"])
            let (status, output) = Programs.finish(program, seconds: 20)
            #expect(status == 0)
            #expect(output.contains("usage: \(command)"), "\(output)")
            let lines = output.split(separator: "\n")
            let words = lines.map { $0.split(separator: " ") }
            for (line, words) in zip(lines, words) where words.count > 2 { #expect(line.count <= width, "\(line)") }
        }
    }

    @Test func aBatcherThatIsNotThereIsWaitedForAndThenReported() throws {
        let folder = FileManager.default.temporaryDirectory.path
        let (status, output) = try Programs.run(
            "tandem-decoder", ["--connect", "ipc://\(folder)/nobody-\(UUID().uuidString.prefix(8))", "--media", folder, "--patience", "1"],
            in: folder, seconds: 30)
        #expect(status == 1)
        #expect(output.contains("batcher"), "\(output)")
    }

    @Test func aPortInUseIsNamed() throws {
        let data = try TinyDataSet()
        let endpoint = "tcp://127.0.0.1:\(Int.random(in: 20000..<60000))"
        let arguments = ["--pipeline", data.folder + "/tiny.json5", "--bind", endpoint]
        let first = try Programs.start("tandem-batcher", arguments, in: data.folder)
        while !first.output.contains("listening"), first.process.isRunning { usleep(10_000) }
        let (status, output) = try Programs.run("tandem-batcher", arguments, in: data.folder, seconds: 20)
        first.signal(SIGTERM)
        _ = Programs.finish(first)
        #expect(status == 1)
        #expect(output.contains(endpoint), "\(output)")
        #expect(output.contains("in use"), "\(output)")
    }
}
