import Foundation
import Metrics
import TestSupport
import Testing

/// What the programs tell about themselves, and whom they let in.
@Suite(.serialized, .timeLimit(.minutes(30))) struct StatusTests {
    /// Asks a program that was started with `--metrics` until it answers.
    private func page(_ port: Int, of running: Programs.Running) throws -> ExpositionText {
        while running.process.isRunning {
            if let (status, body) = try? StatusAddress("\(port)").get("/metrics"), status == "200" { return try ExpositionText(body) }
            usleep(10_000)
        }
        Issue.record("\(running.output)")
        throw CancellationError()
    }

    private func value(_ name: String, _ port: Int, of running: Programs.Running) throws -> Double {
        try #require(page(port, of: running).samples[.init(name: name)], "\(name) is not told of")
    }

    private func health(_ port: Int, in folder: String) throws -> (status: Int32, output: String) {
        try Programs.run("tandem", ["health", "127.0.0.1:\(port)"], in: folder, seconds: 20)
    }

    private static func randomPorts() -> Int { Int.random(in: 20000..<32000) }

    @Test func everyProcessTellsHowItIs() throws {
        let data = try TinyDataSet()
        let ports = Self.randomPorts()
        let shared =
            ["--pipeline", data.folder + "/tiny.json5", "--set", "train.steps=100000"]
            + ["--set", "evaluation.davis=\"\(data.folder)/davis\""]
        let (batches, checkpoints) = ("ipc://\(data.folder)/b", "ipc://\(data.folder)/t")
        func start(_ program: String, _ place: Int, _ arguments: [String]) throws -> Programs.Running {
            try Programs.start(program, arguments + ["--metrics", "\(ports + place)"], in: data.folder)
        }
        let batcher = try start("tandem-batcher", 0, shared + ["--bind", batches])
        let decoder = try start("tandem-decoder", 1, ["--connect", batches, "--media", data.folder + "/train"])
        while try value("tandem_batcher_decoders", ports, of: batcher) != 1 { usleep(10_000) }
        // Who has nothing to do is well.
        #expect(try health(ports, in: data.folder) == (0, "0 samples shipped, decoders at work: 1; no batch is asked for\n"))
        #expect(try health(ports + 1, in: data.folder) == (0, "0 samples made, waiting for tickets\n"))

        let trainer = try start("tandem-trainer", 2, shared + ["--batcher", batches, "--bind", checkpoints, "--folder", "run"])
        let evaluator = try start("tandem-evaluator", 3, ["--trainer", checkpoints])
        while try value("tandem_trainer_step", ports + 2, of: trainer) < 5 { usleep(10_000) }
        while try value("tandem_evaluator_checkpoint_seconds_count", ports + 3, of: evaluator) < 1 { usleep(10_000) }
        let running = [batcher, decoder, trainer, evaluator]
        let names = [
            [
                "tandem_batcher_leases_expired_total", "tandem_batcher_reorder_depth", "tandem_batcher_inflight_bytes",
                "tandem_batcher_duplicates_dropped_total",
            ],
            ["tandem_decoder_samples_total", "tandem_decoder_frames_decoded_total", "tandem_decoder_errors_total"],
            ["tandem_trainer_data_wait_seconds_total", "tandem_trainer_step_seconds"],
            ["tandem_evaluator_checkpoint_seconds", "tandem_evaluator_score"],
        ]
        for (place, (program, names)) in zip(running, names).enumerated() {
            let page = try page(ports + place, of: program)
            for name in names { #expect(page.families[name] != nil, "\(name)") }
            #expect(page.samples[.init(name: "process_resident_memory_bytes")]! > 1e6)
            let (status, output) = try health(ports + place, in: data.folder)
            #expect(status == 0, "\(output)")
        }
        // A pair of 32 x 32 pixels, four of them a ticket, and frames that were decoded on the way to it.
        #expect(try value("tandem_batcher_inflight_bytes", ports, of: batcher) >= 4 * 2 * 32 * 32 * 3)
        #expect(
            try value("tandem_decoder_frames_decoded_total", ports + 1, of: decoder)
                >= value("tandem_decoder_samples_total", ports + 1, of: decoder) / 4)
        for program in running.reversed() {
            program.signal(SIGTERM)
            #expect(Programs.finish(program).status == 0, "\(program.output)")
        }
        #expect(try health(ports, in: data.folder).status == 1)
    }

    /// "lo" is this machine's own interface by a name that does not say so.
    @Test(arguments: ["tandem-batcher", "tandem-trainer", "tandem"]) func openDoorsAreRefusedUnlessAskedFor(program: String) throws {
        let data = try TinyDataSet()
        let endpoint = "tcp://lo:\(Self.randomPorts())"
        let arguments =
            switch program {
            case "tandem": ["run", data.folder + "/tiny.json5", "--bind", endpoint, "--set", "train.steps=100000"]
            case "tandem-batcher": ["--pipeline", data.folder + "/tiny.json5", "--bind", endpoint]
            default:
                ["--pipeline", data.folder + "/tiny.json5", "--batcher", "ipc://\(data.folder)/b", "--bind", endpoint]
                    + ["--set", "evaluation.davis=\"\(data.folder)/davis\""]
            }
        let refused = try Programs.run(program, arguments, in: data.folder)
        #expect(refused.status == 1)
        #expect(refused.output.contains("\(endpoint): without keys") && refused.output.contains("--insecure"), "\(refused.output)")

        let running = try Programs.start(program, arguments + ["--insecure"], in: data.folder)
        while !running.output.contains("warning: \(endpoint) is open without keys"), running.process.isRunning { usleep(10_000) }
        running.signal(SIGTERM)
        let allowed = Programs.finish(running)
        #expect(allowed.status == 0 && allowed.output.contains("is open without keys"), "\(allowed.output)")
    }

    @Test func refusalsAreCountedAndTheListIsReadAgain() throws {
        let data = try TinyDataSet()
        let (port, ports) = (Self.randomPorts(), Self.randomPorts())
        let keys = data.folder + "/keys"
        #expect(try Programs.run("tandem", ["keys", keys], in: data.folder).status == 0)
        let endpoint = "tcp://127.0.0.1:\(ports)"
        let batcher = try Programs.start(
            "tandem-batcher",
            ["--pipeline", data.folder + "/tiny.json5", "--bind", endpoint, "--keys", keys, "--metrics", "\(port)"], in: data.folder)
        #expect(try value("tandem_batcher_refusals_total", port, of: batcher) == 0)
        let decoder = ["--connect", endpoint, "--media", data.folder + "/train"]
        let stranger = try Programs.start("tandem-decoder", decoder, in: data.folder)
        while try value("tandem_batcher_refusals_total", port, of: batcher) < 1 { usleep(10_000) }
        stranger.signal(SIGTERM)
        _ = Programs.finish(stranger)

        // A second key is allowed beside the first, and both serve.
        #expect(try Programs.run("tandem", ["keys", keys, "--client", "next"], in: data.folder).status == 0)
        batcher.signal(SIGHUP)
        while !batcher.output.contains("allowed was read: 2 keys may connect"), batcher.process.isRunning { usleep(10_000) }
        let nextKeys = try data.makeFolder("next")
        for (old, new) in [("next.key", "client.key"), ("server.pub", "server.pub")] {
            try FileManager.default.copyItem(atPath: keys + "/" + old, toPath: nextKeys + "/" + new)
        }
        let decoders = try [keys, nextKeys].map { try Programs.start("tandem-decoder", decoder + ["--keys", $0], in: data.folder) }
        while try value("tandem_batcher_decoders", port, of: batcher) < 2 { usleep(10_000) }
        for program in decoders + [batcher] {
            program.signal(SIGTERM)
            #expect(Programs.finish(program).status == 0, "\(program.output)")
        }
        for name in ["server.key", "client.key", "next.key"] {
            let secret = try String(contentsOfFile: keys + "/" + name, encoding: .utf8).prefix(40)
            #expect(!batcher.output.contains(secret))
        }
    }
}
