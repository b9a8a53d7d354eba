import Dataflow
import Foundation
import Media
import Sampling
import TestSupport
import Testing
import ZeroMQ

/// The Python package in Sources/Python gets from 'tandem serve' what a trainer of ours gets.
@Suite(.serialized, .timeLimit(.minutes(30))) struct PythonStreamTests {
    /// A Python that has what the package wants.
    private static let python = [Programs.find("python3"), "/usr/bin/python3"].compactMap { $0 }.first { path in
        (try? Programs.run(path: path, ["-c", "import zmq, numpy"]))?.status == 0
    }
    private static let package = #filePath.replacingOccurrences(of: "Tests/PipelineTests/PythonStreamTests.swift", with: "Sources/Python")
    private static let wantsPython = "there is no python3 with pyzmq and numpy"

    /// Reads some steps as some ranks, each of which leaves when it has its share, and prints a line a sample. Says where it is.
    private static let reader = """
        import hashlib, sys, threading
        sys.path.insert(0, sys.argv[1])
        import tandem
        endpoint, (first, steps, ranks, run) = sys.argv[2], map(int, sys.argv[3:7])
        lines, states = {}, []
        def read(rank):
            with tandem.Stream(endpoint, batch=8, rank=rank, ranks=ranks, run=run, timeout=60) as stream:
                stream.load_state_dict({"position": first, "fingerprint": None})
                for step in range(steps):
                    batch = stream.next()
                    if rank == 0: print("step", step, file=sys.stderr, flush=True)
                    for index, header in enumerate(batch.headers):
                        parts = b"".join(batch[name][index].tobytes() for name in batch)
                        lines[header.sample] = f"{header.sample} {header.ticket} {header.video} {header.path} {hashlib.md5(parts).hexdigest()}"
                states.append(stream.state_dict()["position"])
        threads = [threading.Thread(target=read, args=(rank,)) for rank in range(ranks)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert states == [first + 8 * steps] * ranks, states
        for sample in sorted(lines): print(lines[sample])
        """

    /// Reads some steps by what PyTorch's users take, goes on from their state in the middle, and prints a line a sample.
    private static let torchReader = """
        import hashlib, sys, torch
        sys.path.insert(0, sys.argv[1])
        import tandem, tandem.torch
        endpoint, kind, steps = sys.argv[2], sys.argv[3], int(sys.argv[4])
        def open():
            stream = tandem.Stream(endpoint, batch=8, samples=8 * steps, timeout=60)
            if kind == "loader": return tandem.torch.Loader(stream, prefetch=3), stream
            data = tandem.torch.Dataset(stream)
            return (data if kind == "dataset" else torch.utils.data.DataLoader(data, batch_size=None)), stream
        digests, state = [], None
        for part in range(2):
            source, stream = open()
            holder = getattr(source, "dataset", source)
            if state: holder.load_state_dict(state)
            for batch in source:
                assert all(isinstance(tensor, torch.Tensor) for tensor in batch.values())
                for index in range(8):
                    parts = b"".join(tensor[index].numpy().tobytes() for tensor in batch.values())
                    digests.append(hashlib.md5(parts).hexdigest())
                if part == 0 and len(digests) == 8 * (steps // 2): break
            state = holder.state_dict()
            if kind == "loader": source.close()
            stream.close()
        print("\\n".join(digests))
        """

    /// The same lines of our own client.
    private static func lines(from endpoint: Endpoint, samples: Int) throws -> [String] {
        let socket = try Socket(
            .dealer, in: Context(), options: .init(sendHighWaterMark: 9, receiveHighWaterMark: 9, linger: 0, maximumMessageBytes: 1 << 20))
        try socket.connect(to: endpoint.batches)
        var (plan, poller): (TrainerReply?, Poller) = (nil, Poller([socket]))
        while plan == nil {
            if try socket.waitUntilSendable(milliseconds: 1000) { _ = try socket.send(Message(TrainerRequest.ask.bytes)) }
            if try poller.wait(milliseconds: 1000)[0], let parts = try socket.receiveParts(limit: 1) {
                plan = try parts[0].withBytes { try TrainerReply($0) }
            }
        }
        guard case .plan(let identity, 3, 4) = plan else {
            Issue.record("\(String(describing: plan))")
            return []
        }
        let client = try BatchClient(endpoint: endpoint, identity: identity, credit: 1 << 20, timeout: 60, log: { _ in })
        try client.request(first: 0, count: samples)
        let lines = try #require(try client.next()).withSamples { samples in
            samples.map { sample in
                let hash = PixelHash(.md5)
                for array in sample.arrays { hash.update(sample.bytes(array.name)!) }
                let (header, digest) = (sample.header, hash.finish())
                return "\(header.sample) \(header.ticket) \(header.video) \(header.path) \(digest)"
            }
        }
        try client.close()
        return lines
    }

    @Test(.enabled(if: python != nil, Comment(rawValue: wantsPython)), arguments: [1, 4])
    func batchesAreThoseOfATrainer(decoders: Int) throws {
        try serving(decoders: decoders, samples: 80) { folder, endpoint, expected in
            try Data(Self.reader.utf8).write(to: URL(fileURLWithPath: folder + "/reader.py"))
            func read(first: Int, steps: Int, ranks: Int, run: Int) throws -> [String] {
                let numbers = [first, steps, ranks, run].map { "\($0)" }
                let (status, output) = try Programs.run(
                    path: Self.python!, [folder + "/reader.py", Self.package, endpoint.control] + numbers)
                #expect(status == 0, "\(output)")
                return output.split(separator: "\n").map(String.init).filter { $0.contains(".mp4 ") }
            }
            for (run, ranks) in [1, 2, 4].enumerated() {
                #expect(try read(first: 0, steps: 10, ranks: ranks, run: 100 + run) == expected, "\(ranks) ranks")
            }
            // From a state in the middle, and by another number of ranks.
            #expect(try read(first: 24, steps: 7, ranks: 2, run: 200) == Array(expected[24...]))
        }
    }

    /// Serves the tiny videos while `body` runs.
    private func serving(
        _ data: TinyDataSet, decoders: Int = 1, _ body: (_ folder: String, _ endpoint: Endpoint) throws -> Void
    ) throws {
        let folder = try data.makeFolder("served")
        let endpoint = try Endpoint("ipc://\(folder)/batcher")
        let serving = try Programs.start(
            "tandem",
            ["serve", data.folder + "/tiny.json5", "--bind", endpoint.control, "--set", "dataflow.decoders=\(decoders)"], in: folder)
        defer {
            serving.signal(SIGTERM)
            _ = Programs.finish(serving)
        }
        try body(folder, endpoint)
    }

    /// The same, with what our own client gets of it.
    private func serving(
        decoders: Int, samples: Int, _ body: (_ folder: String, _ endpoint: Endpoint, _ lines: [String]) throws -> Void
    ) throws {
        try serving(TinyDataSet(), decoders: decoders) { folder, endpoint in
            let lines = try Self.lines(from: endpoint, samples: samples)
            #expect(Set(lines).count == samples)
            try body(folder, endpoint, lines)
        }
    }

    /// Decoders and the batcher are killed while a client reads.
    @Test(.enabled(if: python != nil, Comment(rawValue: wantsPython)))
    func killsChangeNothing() throws {
        try serving(decoders: 2, samples: 480) { folder, endpoint, expected in
            try Data(Self.reader.utf8).write(to: URL(fileURLWithPath: folder + "/reader.py"))
            let reading = try Programs.start(
                path: Self.python!, [folder + "/reader.py", Self.package, endpoint.control, "0", "60", "2", "9"], in: folder)
            for (step, name) in [(4, "tandem-decoder"), (12, "tandem-batcher"), (24, "tandem-decoder"), (36, "tandem-batcher")] {
                try wait(for: "step \(step)\n", in: reading)
                let victims = processes(named: name, with: folder)
                #expect(!victims.isEmpty, "no \(name) of \(folder)")
                for victim in victims { kill(victim, SIGKILL) }
            }
            let (status, output) = Programs.finish(reading)
            #expect(status == 0, "\(output)")
            #expect(output.split(separator: "\n").map(String.init).filter { $0.contains(".mp4 ") } == expected)
        }
    }

    @Test(.enabled(if: Peers.python != nil, Comment(rawValue: Peers.absence)), arguments: ["loader", "dataset", "DataLoader"])
    func tensorsAreTheSame(kind: String) throws {
        try serving(decoders: 1, samples: 80) { folder, endpoint, expected in
            try Data(Self.torchReader.utf8).write(to: URL(fileURLWithPath: folder + "/reader.py"))
            let output = try Peers.run(folder + "/reader.py", [Self.package, endpoint.control, kind, "10"])
            let digests = expected.map { String($0.split(separator: " ").last!) }
            #expect(output.split(separator: "\n").map(String.init).filter { $0.count == 32 } == digests, "\(output.suffix(2000))")
        }
    }

    /// A SiamMAE in PyTorch that is trained on a stream has the losses of a run on the same samples.
    @Test(.enabled(if: Peers.python != nil && Shared.folder != nil, "no PyTorch ('make peers') or no TANDEM_SHARED"))
    func aTrainingInPyTorchHasTheSameLosses() throws {
        let data = try TinyDataSet()
        let run = try data.run("swift", settings: ["train.steps=50", "train.checkpointEvery=50", "train.precision=f32"])
        try serving(data) { _, endpoint in
            let script = #filePath.replacingOccurrences(of: "PipelineTests/PythonStreamTests.swift", with: "Peers/train_stream.py")
            let sizes = #"{"image": 32, "patch": 8, "dim": 24, "depth": 1, "heads": 2, "ddim": 16, "ddepth": 1, "dheads": 2}"#
            let output = try Peers.run(script, [endpoint.control, run.folder + "/runs/tiny", Shared.folder! + "/peers", "8", sizes])
            let line = try #require(output.split(separator: "\n").last { $0.hasPrefix("{") }, "\(output)")
            let result = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Double])
            #expect(result["steps"] == 50)
            #expect(try #require(result["worst"]) < 2e-6, "\(output)")
        }
    }

    @Test(.enabled(if: python != nil, Comment(rawValue: wantsPython)))
    func mistakesSayWhatToDo() throws {
        let text = """
            import sys
            sys.path.insert(0, sys.argv[1])
            import tandem
            for options in ({"timeout": 1}, {"ranks": 2}, {"keys": "/nowhere"}):
                try: tandem.Stream("ipc:///nowhere/batcher", batch=8, log=print, **options).next()
                except (tandem.TandemError, ValueError) as error: print(error)
            """
        let (status, output) = try Programs.run(path: Self.python!, ["-c", text, Self.package])
        #expect(status == 0)
        for words in [
            "no batcher answered at ipc:///nowhere/batcher for 1 s; start 'tandem serve' there", "several ranks want a number",
            "/nowhere/client.key: No such file or directory; 'tandem keys FOLDER' makes keys",
        ] { #expect(output.contains(words), "\(output)") }
    }
}
