import Foundation
import Sampling
import TestSupport
import Testing

/// `replaced.jsonl` against the sample log, which knows which attempt at each ticket gave its samples.
@Suite(.serialized) struct ReplacedListTests {
    private struct Line {
        let step, ticket, attempt: Int
        let video, kind, reason, decoder, host: String

        init(_ text: Substring) throws {
            let fields = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
            func number(_ key: String) throws -> Int { try #require(fields[key] as? Int, "\(key) in \(text)") }
            func string(_ key: String) throws -> String { try #require(fields[key] as? String, "\(key) in \(text)") }
            (step, ticket, attempt) = (try number("step"), try number("ticket"), try number("attempt"))
            (video, kind, reason) = (try string("video"), try string("kind"), try string("reason"))
            (decoder, host) = (try string("decoder"), try string("host"))
        }
    }

    private func list(_ folder: String) throws -> [Line] {
        try String(contentsOfFile: folder + "/runs/tiny/replaced.jsonl", encoding: .utf8).split(separator: "\n").map(Line.init)
    }

    private static let settings = [
        "train.steps=600", "train.batch=6", "train.microBatch=3", "train.checkpointEvery=10", "train.threads=1",
        "dataflow.failureLimit=0.9", "dataflow.decoders=2",
    ]

    private static let host: String = {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, 255)
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    /// Batches cut tickets (four samples each), the batcher is killed, the trainer stopped, a checkpoint lost: the list is that of the stream.
    @Test(.timeLimit(.minutes(30))) func theListIsThatOfTheStream() throws {
        let data = try TinyDataSet()
        let broken = data.videos.last!
        try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: broken))
        let folder = try data.makeFolder("run")
        let first = try data.start(in: folder, settings: Self.settings)
        func waitForStep(_ step: Int) throws {
            func log() -> String { (try? String(contentsOfFile: folder + "/runs/tiny/log.txt", encoding: .utf8)) ?? "" }
            while !log().contains("\"step\": \(step),") {
                try #require(first.process.isRunning, "ended before step \(step): \(first.output)")
                usleep(10_000)
            }
        }
        try waitForStep(20)
        for batcher in processes(named: "tandem-batcher", with: data.folder + "/tiny.json5") { kill(batcher, SIGKILL) }
        try waitForStep(60)
        first.signal(SIGINT)
        let (status, output) = Programs.finish(first)
        #expect(status == 0 && output.contains("run again to continue"), "\(output)")
        // What came after the checkpoint before the last runs again.
        let checkpoints = folder + "/runs/tiny/checkpoints"
        let last = try #require(try FileManager.default.contentsOfDirectory(atPath: checkpoints).sorted().last)
        try FileManager.default.removeItem(atPath: checkpoints + "/" + last)
        let (secondStatus, secondOutput) = Programs.finish(try data.start(in: folder, settings: Self.settings))
        #expect(secondStatus == 0, "\(secondOutput)")

        let log = try String(contentsOfFile: folder + "/samples.log", encoding: .utf8).split(separator: "\n").dropFirst()
        var expected: [[Int]] = []
        for line in log.map({ $0.split(separator: "\t") }) {
            for attempt in 0..<Int(line[5])! {
                let visit = [Int(line[3])!, attempt]
                if (expected.last ?? []).lexicographicallyPrecedes(visit) { expected.append(visit) }
            }
        }
        let lines = try list(folder)
        #expect(!expected.isEmpty && lines.map { [$0.ticket, $0.attempt] } == expected)
        #expect(log.count == 3600)
        for line in lines {
            #expect(line.video == URL(fileURLWithPath: broken).lastPathComponent && line.host == Self.host && line.decoder.count == 16)
            #expect(!line.kind.isEmpty && !line.reason.isEmpty && (1...600).contains(line.step))
            let told = "replaced \(line.video) (ticket \(line.ticket), attempt \(line.attempt)), which decoder "
            #expect((output + secondOutput).contains(told), "\(told)")
        }
        #expect(output.contains(" on \(Self.host) gave up: "), "\(output)")
        #expect(lines.map(\.step) == lines.map(\.step).sorted())
    }

    /// A run that ends because too much fails says what did.
    @Test(.timeLimit(.minutes(30))) func aRunThatFailsListsWhatFailed() throws {
        let data = try TinyDataSet()
        for video in data.videos { try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: video)) }
        let folder = try data.makeFolder("run")
        let (status, output) = Programs.finish(try data.start(in: folder, settings: Self.settings))
        #expect(status == 1, "\(output)")
        let lines = try list(folder)
        #expect(!lines.isEmpty && lines.allSatisfy { $0.step == 1 && $0.host == Self.host })
        #expect(Set(lines.map { [$0.ticket, $0.attempt] }).count == lines.count)
    }
}
