import Foundation
import TestSupport
import Testing

/// What users get wrong: one sentence that says what, where and what to do, and an exit code that is not 0.
@Suite struct ErrorTests {
    @Test(arguments: [
        (["run", "missing.json5"], "missing.json5: there is no such file; see Pipelines/"),
        (["run", "nothing.json5"], "'data.media' is missing: name the folder of videos"),
        (["run", "pipe"], "pipe: it is a pipe, a socket or a device"), (["run", "."], ".: it is a folder"),
        (["inspect", "pipe"], "cannot read pipe: it is a pipe, a socket or a device"),
        (["run", "empty.json5", "--set", "train.steps=9223372036854775807"], "--set train.steps: is 9223372036854775807: 0 (what epochs"),
        (["run", "empty.json5", "--set", "train.steps=9223372036854775808"], "--set train.steps: a number is out of range"),
        (
            ["run", "empty.json5", "--set", "train.batch=9223372036854775807"],
            "--set train.batch: is 9223372036854775807: from 1 sample to"
        ),
        (
            ["run", "empty.json5", "--set", "model.size={patch: 8, width: 24, depth: 9223372036854775807, heads: 2}"],
            "--set model.size: has depth 9223372036854775807: from 1 to 1000 blocks"
        ),
        (["run", "empty.json5", "--set", "model.size={patch: 8, width: 1000000, depth: 1, heads: 2}"], "width 1000000, above the limit"),
        (["run", "empty.json5", "--set", "name=\"a\\nb\""], "--set name: is \"a\\u{A}b\""),
        (["run", "empty.json5", "--set", "evaluation.davis='nowhere'"], "'evaluation.davis' is \"nowhere\", and there is no such folder"),
        (["ablate", "empty.json5", "--vary", "seed=1", "--seeds", "9223372036854775807"], "--seeds wants 1 to 1000"),
        (
            [
                "ablate", "empty.json5", "--vary", "mask.ratio=.5", "--set", "evaluation.davis='davis'", "--set",
                "seed=18446744073709551615", "--seeds", "2",
            ], "'seed' is 18446744073709551615, and 2 seeds in a row from there go beyond 2^64 - 1"
        ),
        (["synthesize", "scenes", "--videos", "99999999999999"], "--videos, --sequences and --classification want 0 to 1000000"),
        (["synthesize", "scenes", "--short-side", "127"], "--short-side wants an even number from 32 to 1024, not 127"),
        (["synthesize", "scenes", "--seed", "-1"], "--seed wants a whole number from 0 to 2^64 - 1, not '-1'"),
        (["decoders", "--connect", "tcp://127.0.0.1:1", "--media", ".", "--count", "9223372036854775807"], "start 1 to 1024 decoders"),
        (["bench", "dataflow", "--decoders", "99999999999"], "--decoders wants 1 to 256"),
        (["run", "empty.json5", "--set", "data.manifest='nothing.json5'", "--bind", "tcp://0.0.0.0:5555"], "without keys anybody could"),
        (["inspect", "empty.json5", "--set", "train.stepz=4"], "there is no key 'stepz' in 'train'"),
        (["check-log"], "LOG is missing"), (["check-log", "."], ". cannot be read as a log of samples: it is a folder"),
        (["keys", "piped", "--client", "a"], "piped/allowed: it is a pipe, a socket or a device"),
        (["keys", "keys", "--client", "a\nb"], "'a\\u{A}b' cannot name a key"),
        (["demo"], "Pipelines/demo.json5: there is no such file; the demo reads its pipeline there"),
        (["run", "typo.json5"], "line 1: there is no key 'ratoi' in 'mask'"),
        (["run", "empty.json5"], "there is no manifest; make one with 'tandem prepare"),
        (["run", "empty.json5", "--set", "mask.ratio=1"], "from 0 to below 1"),
        (["run", "empty.json5", "--set", "model.decoder=both"], "it wants \"cross-self\", \"cross\" or \"joint\""),
        (["run"], "PIPELINE is missing"),
        (["verify", "physics"], "there is no kind 'physics'; 'tandem verify --help' lists them"),
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
        try Data("{}".utf8).write(to: URL(fileURLWithPath: folder + "/nothing.json5"))
        try FileManager.default.createDirectory(atPath: folder + "/piped", withIntermediateDirectories: true)
        for pipe in ["pipe", "piped/allowed"] { #expect(mkfifo("\(folder)/\(pipe)", 0o600) == 0) }
        let (status, output) = try Programs.run("tandem", arguments, in: folder, seconds: 20)
        #expect(status == 1 || status == 2)
        #expect(output.contains(expected), "\(output)")
        #expect(!output.contains("Fatal error"), "\(output)")
    }

    /// Swift replaces what is not UTF-8 in a name, and the result would be another name: `\351` is an accented e of Latin-1.
    @Test func namesThatAreNotUTF8AreRefused() throws {
        try withTemporaryFolder { folder in
            func run(_ command: String) throws -> (status: Int32, output: String) {
                try Programs.run(
                    path: "/bin/bash", ["-c", "cd '\(folder)' && mkdir -p $'fold\\351' && \(command) 2>&1"],
                    environment: ["PATH": Programs.folder + ":/usr/bin:/bin"])
            }
            let argument = try run("tandem prepare $'fold\\351'")
            #expect(argument.status == 1 && argument.output.contains("argument 2 is not UTF-8"), "\(argument.output)")
            let place = try run("cd $'fold\\351' && tandem synthesize here --videos 1 --sequences 0")
            #expect(place.status == 1 && place.output.contains("the name of the working directory is not UTF-8"), "\(place.output)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
        }
    }

    @Test(arguments: ["tandem", "tandem-decoder", "tandem-batcher", "tandem-trainer", "tandem-evaluator"])
    func everyProgramHasHelp(program: String) throws {
        let (status, output) = try Programs.run(program, ["--help"], in: NSTemporaryDirectory(), seconds: 20)
        #expect(status == 0)
        #expect(output.contains("usage: \(program)"))
    }

    /// Every program and command, at two widths; only a word that is longer than its column may stand out.
    @Test(arguments: [
        "tandem", "tandem demo", "tandem prepare", "tandem run", "tandem plan", "tandem decoders", "tandem evaluate", "tandem ablate",
        "tandem analyze",
        "tandem visualize",
        "tandem visualize reconstructions", "tandem visualize attention", "tandem visualize correspondence", "tandem visualize overlays",
        "tandem visualize masks",
        "tandem keys", "tandem export", "tandem import", "tandem inspect", "tandem health", "tandem check-log", "tandem frames",
        "tandem verify", "tandem verify maths", "tandem synthesize", "tandem bench", "tandem bench step", "tandem bench ops",
        "tandem bench summary",
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
            "tandem-decoder", ["--connect", "ipc://\(folder)/nobody-\(UUID().uuidString.prefix(8))", "--media", folder, "--timeout", "1"],
            in: folder, seconds: 30)
        #expect(status == 1)
        #expect(output.contains("batcher"), "\(output)")
    }

    @Test func aPortInUseIsNamed() throws {
        let data = try TinyDataSet()
        let endpoint = "tcp://127.0.0.1:\(Int.random(in: 20000..<32000))"
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
