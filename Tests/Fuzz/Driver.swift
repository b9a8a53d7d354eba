import Base
import Console
import Foundation

/// Runs children over all cases, counts what they say, and keeps what harms them.
final class Driver {
    private struct Tally {
        var count = 0
        var outcomes: [String: Int] = [:]
        var mostMilliseconds = 0
        var mostMebibytes = 0
    }

    private let corpus: Corpus
    private let corpusFolder: String
    private let seed: UInt64
    private let findings: String
    private let command: String
    private var tallies: [String: Tally] = [:]
    private var found = 0

    /// Cases that one child reads, and seconds that it may take for one of them: a machine may be busy, and the driver of low priority.
    private static let batch = 500
    private static let timeout = 600.0

    init(corpus: Corpus, corpusFolder: String, seed: UInt64, findings: String, command: String) {
        self.corpus = corpus
        self.corpusFolder = corpusFolder
        self.seed = seed
        self.findings = findings
        self.command = command
    }

    /// Reads so many damaged files of every kind. Returns whether none did harm.
    func run(countOfEach: Int, jobs: Int) throws -> Bool {
        let count = countOfEach * corpus.kinds.count
        var next = 0
        var returned: [Range<Int>] = []
        var children: [Reader] = []
        var done = 0
        var line = ProgressLine()
        let begin = monotonicSeconds()
        while done < count {
            while children.count < jobs, !returned.isEmpty || next < count {
                let cases = returned.popLast() ?? next..<min(next + Self.batch, count)
                next = max(next, cases.upperBound)
                children.append(try Reader(cases: cases, seed: seed, corpusFolder: corpusFolder))
            }
            var polled = children.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            _ = poll(&polled, nfds_t(polled.count), 250)
            for (child, entry) in zip(children, polled) where entry.revents != 0 {
                for end in child.readEnds() {
                    done += 1
                    try note(end, of: child)
                }
            }
            for child in children where !child.isAtEnd && monotonicSeconds() - child.heardAt > Self.timeout { child.kill() }
            for child in children where child.isAtEnd {
                let (status, errors) = child.reap()
                let isDone = child.next == child.cases.upperBound
                guard !isDone || status != 0 else { continue }
                // One that read everything and fails at its end is blamed on the last case.
                let number = isDone ? child.next - 1 : child.next
                try keep(number, why: child.wasKilled ? "hang" : "crash (\(status))", errors: errors, isCounted: isDone)
                if !isDone { done += 1 }
                if number + 1 < child.cases.upperBound { returned.append(number + 1..<child.cases.upperBound) }
            }
            children.removeAll(where: \.isAtEnd)
            line.show(progressBar(done: done, of: count, unit: "files", elapsed: monotonicSeconds() - begin))
        }
        line.finish(progressBar(done: done, of: count, unit: "files", elapsed: monotonicSeconds() - begin))
        printTable()
        return found == 0
    }

    private func note(_ end: Reader.End, of child: Reader) throws {
        let kind = corpus.seed(ofCase: end.number).kind
        for part in end.outcome.split(separator: "+") {
            let words = part.split(separator: " ", maxSplits: 1)
            tallies[kind, default: Tally()].count += Int(words[0])!
            tallies[kind]!.outcomes[String(words[1]), default: 0] += Int(words[0])!
        }
        tallies[kind]!.mostMilliseconds = max(tallies[kind]!.mostMilliseconds, end.milliseconds)
        tallies[kind]!.mostMebibytes = max(tallies[kind]!.mostMebibytes, end.mebibytes)
        if end.outcome == "1 memory" { try keep(end.number, why: "\(end.mebibytes) MiB of memory", errors: "", isCounted: true) }
    }

    /// Keeps a file that did harm, and how it did.
    private func keep(_ number: Int, why: String, errors: String, isCounted: Bool = false) throws {
        found += 1
        let good = corpus.seed(ofCase: number)
        if !isCounted {
            tallies[good.kind, default: Tally()].count += 1
            tallies[good.kind]!.outcomes[why, default: 0] += 1
        }
        try FileManager.default.createDirectory(atPath: findings, withIntermediateDirectories: true)
        let path = findings + "/\(seed)-\(number)-\(good.name)"
        // Of messages a case has many, which its number alone tells.
        if MessageKind(rawValue: good.kind) == nil {
            try Data(damaged(good, seed: seed, case: number)).write(to: URL(fileURLWithPath: path))
        }
        let text = "\(why)\n\(command) --case \(number)\n\n\(errors)\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + ".txt"))
        writeError("fuzz: \(why): \(path)\n")
    }

    private func printTable() {
        for (kind, tally) in tallies.sorted(by: { $0.key < $1.key }) {
            let outcomes = tally.outcomes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
            print(
                kind.padding(toLength: 15, withPad: " ", startingAt: 0), "\(tally.count) damaged,",
                "at most \(tally.mostMilliseconds) ms and \(tally.mostMebibytes) MiB:", outcomes.joined(separator: ", "))
        }
        print("\(found) findings")
    }
}

/// A child and what it said.
private final class Reader {
    struct End {
        var number: Int
        var milliseconds: Int
        var mebibytes: Int
        /// "1 read", "13 read+187 refused": how many, and what became of them.
        var outcome: String
    }

    let cases: Range<Int>
    private(set) var heardAt = monotonicSeconds()
    private(set) var isAtEnd = false
    private(set) var wasKilled = false
    /// The first case that has not ended.
    private(set) var next: Int
    private let process = Process()
    private let output = Pipe()
    private let errorPath: String
    private var rest: [UInt8] = []

    /// What AddressSanitizer is to do: a request above its limit fails as libav expects, freed memory is soon used again.
    private static let sanitizer = "allocator_may_return_null=1:max_allocation_size_mb=1024:quarantine_size_mb=8:detect_leaks=0"

    init(cases: Range<Int>, seed: UInt64, corpusFolder: String) throws {
        self.cases = cases
        next = cases.lowerBound
        errorPath = corpusFolder + "-errors-\(cases.lowerBound)"
        try Data().write(to: URL(fileURLWithPath: errorPath))
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = ["--seed", "\(seed)", "--child", "\(cases.lowerBound),\(cases.count),\(corpusFolder)"]
        process.environment = ProcessInfo.processInfo.environment.merging(["ASAN_OPTIONS": Self.sanitizer]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle(forWritingAtPath: errorPath)
        try process.run()
    }

    var descriptor: Int32 { output.fileHandleForReading.fileDescriptor }

    /// The cases that have ended since the last call.
    func readEnds() -> [End] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        guard count > 0 else {
            isAtEnd = true
            return []
        }
        heardAt = monotonicSeconds()
        rest += buffer[..<count]
        var ends: [End] = []
        while let end = rest.firstIndex(of: 10) {
            let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ", maxSplits: 3).map(String.init)
            rest.removeSubrange(...end)
            ends.append(End(number: Int(words[0])!, milliseconds: Int(words[1])!, mebibytes: Int(words[2])!, outcome: words[3]))
            next = ends.last!.number + 1
        }
        return ends
    }

    func kill() {
        wasKilled = true
        Glibc.kill(process.processIdentifier, SIGKILL)
    }

    /// Waits for the end. Returns the exit code, or the negative number of a signal, and what was written to standard error.
    func reap() -> (status: Int32, errors: String) {
        process.waitUntilExit()
        let errors = (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? ""
        try? FileManager.default.removeItem(atPath: errorPath)
        return (process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus, errors)
    }
}
