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

    /// Reads some steps as some ranks, each of which leaves when it has its share, and prints a line a sample.
    private static let reader = """
        import hashlib, sys, threading
        sys.path.insert(0, sys.argv[1])
        import tandem
        endpoint, (first, steps, ranks, run) = sys.argv[2], map(int, sys.argv[3:7])
        lines, states = {}, []
        def read(rank):
            with tandem.Stream(endpoint, batch=8, rank=rank, ranks=ranks, run=run, timeout=60) as stream:
                stream.load_state_dict({"position": first, "fingerprint": None})
                for _ in range(steps):
                    batch = stream.next()
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
        let data = try TinyDataSet()
        let folder = try data.makeFolder("served")
        let serving = try Programs.start(
            "tandem", ["serve", data.folder + "/tiny.json5", "--bind", "ipc://batcher", "--set", "dataflow.decoders=\(decoders)"],
            in: folder)
        defer {
            serving.signal(SIGTERM)
            _ = Programs.finish(serving)
        }
        let endpoint = try Endpoint("ipc://\(folder)/batcher")
        let expected = try Self.lines(from: endpoint, samples: 80)
        #expect(Set(expected).count == 80)
        try Data(Self.reader.utf8).write(to: URL(fileURLWithPath: folder + "/reader.py"))
        func read(first: Int, steps: Int, ranks: Int, run: Int) throws -> [String] {
            let numbers = [first, steps, ranks, run].map { "\($0)" }
            let (status, output) = try Programs.run(
                path: Self.python!, [folder + "/reader.py", Self.package, endpoint.control] + numbers)
            #expect(status == 0, "\(output)")
            return output.split(separator: "\n").map(String.init)
        }
        for (run, ranks) in [1, 2, 4].enumerated() {
            #expect(try read(first: 0, steps: 10, ranks: ranks, run: 100 + run) == expected, "\(ranks) ranks")
        }
        // From a state in the middle, and by another number of ranks.
        #expect(try read(first: 24, steps: 7, ranks: 2, run: 200) == Array(expected[24...]))
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
