import Foundation

/// What is proved about sample logs, or the first thing that is wrong with them.
///
/// A log must begin with its header and then hold every sample once, in order: sample k in line k, its slots 0, 1, … of step 1, 2, …
/// How many slots a step has is told, for a run may be continued with another batch. Logs of one stream must be the same bytes, as far as
/// the shorter one goes.
public enum SampleLogCheck {
    /// Proved for all logs.
    public struct Proof: Equatable, Sendable {
        /// Samples in every log.
        public var common: Int
        /// What each log holds, in the order given.
        public var logs: [Content]
    }

    /// What a log holds.
    public struct Content: Equatable, Sendable {
        /// Samples in the log, one a line.
        public var samples = 0
        /// Steps that follow one another with as many samples each.
        public var runs: [Run] = []

        /// Steps in a row with equally many samples.
        public struct Run: Equatable, Sendable {
            /// The first of the steps, which a log counts from 1.
            public var firstStep: Int
            /// Samples of each of the steps.
            public var samplesPerStep: Int
        }

        mutating func add(_ samplesPerStep: Int, ofStep step: Int) {
            if samplesPerStep > 0, runs.last?.samplesPerStep != samplesPerStep {
                runs.append(Run(firstStep: step, samplesPerStep: samplesPerStep))
            }
        }
    }

    /// What is wrong, where.
    public struct Fault: Error, Equatable, CustomStringConvertible, Sendable {
        /// The log's file, as the check was told.
        public let path: String
        /// Counted from 1, the header being the first.
        public let line: Int
        /// What is wrong, in words.
        public let detail: String

        public var description: String { "\(path), line \(line): \(detail)" }
    }

    /// Checks each log by itself, then all against the first.
    public static func check(_ logs: [(path: String, data: Data)]) throws(Fault) -> Proof {
        var contents: [Content] = []
        for log in logs { contents.append(try checkOrder(log.path, log.data)) }
        for log in logs.dropFirst() { try compare(logs[0], log) }
        return Proof(common: contents.map(\.samples).min() ?? 0, logs: contents)
    }

    private static func checkOrder(_ path: String, _ data: Data) throws(Fault) -> Content {
        var lines = Lines(data)
        guard let header = lines.next(), header.elementsEqual(SampleLog.header.utf8) else {
            throw Fault(path: path, line: 1, detail: "this is not the header of a sample log")
        }
        var content = Content()
        var (count, step, slot) = (0, 1, 0)
        while let line = lines.next() {
            let fields = line.split(separator: UInt8(ascii: "\t"), maxSplits: 3, omittingEmptySubsequences: false)
                .prefix(3).map { Int(String(decoding: $0, as: UTF8.self)) }
            guard fields.count == 3, let lineStep = fields[0], let lineSlot = fields[1], let sample = fields[2] else {
                throw Fault(path: path, line: count + 2, detail: "this line is cut off or not one of a sample log")
            }
            if slot > 0, (lineStep, lineSlot) == (step + 1, 0) {
                content.add(slot, ofStep: step)
                (step, slot) = (step + 1, 0)
            }
            guard sample == count else {
                throw Fault(
                    path: path, line: count + 2,
                    detail: sample < count
                        ? "sample \(sample) comes again; sample \(count) belongs here"
                        : "sample \(sample), where sample \(count) belongs: \(sample - count) missing")
            }
            guard (lineStep, lineSlot) == (step, slot) else {
                throw Fault(
                    path: path, line: count + 2, detail: "step \(lineStep), slot \(lineSlot), where step \(step), slot \(slot) belongs")
            }
            (count, slot) = (count + 1, slot + 1)
        }
        guard lines.isWhole else { throw Fault(path: path, line: count + 2, detail: "the last line has no end; the log was cut off") }
        content.samples = count
        content.add(slot, ofStep: step)
        return content
    }

    private static func compare(_ one: (path: String, data: Data), _ other: (path: String, data: Data)) throws(Fault) {
        let count = min(one.data.count, other.data.count)
        // The common case at the speed of memory; a difference is looked for only where there is one.
        guard one.data.prefix(count) != other.data.prefix(count) else { return }
        var (left, right, number) = (Lines(one.data), Lines(other.data), 0)
        while let a = left.next(), let b = right.next() {
            number += 1
            guard a != b else { continue }
            throw Fault(path: other.path, line: number, detail: "\(difference(a, b)), unlike \(one.path)")
        }
    }

    /// The first column in which two lines differ, and what stands there.
    private static func difference(_ a: Data, _ b: Data) -> String {
        func columns(_ line: Data) -> [String] {
            String(decoding: line, as: UTF8.self).split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        let (names, one, other) = (SampleLog.header.split(separator: "\t"), columns(a), columns(b))
        guard let index = names.indices.first(where: { $0 >= one.count || $0 >= other.count || one[$0] != other[$0] }),
            index < one.count, index < other.count
        else { return "another number of columns" }
        let sample = other.count > 2 ? "sample \(other[2]): " : ""
        return "\(sample)\(names[index]) is \(other[index]), not \(one[index])"
    }

    /// Lines of a file, one after the other.
    private struct Lines {
        private let data: Data
        private var start: Int

        init(_ data: Data) {
            self.data = data
            start = data.startIndex
        }

        /// Whether the file ends with an end of line.
        var isWhole: Bool { data.last == UInt8(ascii: "\n") }

        mutating func next() -> Data? {
            guard start < data.endIndex else { return nil }
            let end = data[start...].firstIndex(of: UInt8(ascii: "\n")) ?? data.endIndex
            defer { start = min(end + 1, data.endIndex) }
            return data[start..<end]
        }
    }
}
