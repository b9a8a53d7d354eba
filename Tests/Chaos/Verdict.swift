import Base
import Console
import Foundation
import Sampling
import WeightFiles

/// Whether the disturbed run did what the undisturbed one did.
enum Verdict {
    /// Every array of two checkpoints, moments included, bit for bit. Returns how many numbers were compared.
    static func compareWeights(_ path: String, with referencePath: String) throws -> Int {
        let (file, reference) = (try Safetensors(path: path), try Safetensors(path: referencePath))
        guard Set(file.entries.keys) == Set(reference.entries.keys) else { throw Failure("\(path) has other arrays than \(referencePath)") }
        var count = 0
        for name in file.entries.keys.sorted() {
            let (numbers, expected) = (try file.floats(name), try reference.floats(name))
            guard numbers.map(\.bitPattern) == expected.map(\.bitPattern) else {
                let index = zip(numbers, expected).enumerated().first { $1.0.bitPattern != $1.1.bitPattern }?.offset ?? 0
                throw Failure("\(path): '\(name)' differs from \(referencePath), first at element \(index)")
            }
            count += numbers.count
        }
        return count
    }

    /// Whether a run's list of replaced videos is that of its sample log: up to a step, each attempt before the one that gave a ticket's
    /// samples, once and in order. Returns how many there are.
    static func checkReplaced(_ path: String, with logPath: String, to step: Int) throws -> Int {
        var expected: [[Int]] = []
        for line in try String(contentsOfFile: logPath, encoding: .utf8).split(separator: "\n").dropFirst() {
            let columns = line.split(separator: "\t").prefix(6).map { Int($0)! }
            guard columns[0] <= step else { continue }
            let last = expected.last ?? []
            expected += (0..<columns[5]).map { [columns[3], $0] }.filter { last.lexicographicallyPrecedes($0) }
        }
        let listed = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line -> [Int] in
            let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard let ticket = fields?["ticket"] as? Int, let attempt = fields?["attempt"] as? Int, fields?["host"] is String else {
                throw Failure("\(path): '\(line)' is no replaced video")
            }
            return [ticket, attempt]
        }
        guard listed == expected else {
            let index = zip(listed, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(listed.count, expected.count)
            throw Failure("\(path) differs from \(logPath): \(listed.count) lines for \(expected.count), first at line \(index + 1)")
        }
        return listed.count
    }

    /// Where a video broke in the middle of a run: every line is the undisturbed one, or that of a replacement for this video.
    /// Returns how many were replaced.
    static func compareReplaced(_ path: String, with referencePath: String, broken video: String) throws -> Int {
        func lines(_ path: String) throws -> [[Substring]] {
            try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { $0.split(separator: "\t") }
        }
        let columns = SampleLog.header.split(separator: "\t")
        let (attempt, videoColumn) = (columns.firstIndex(of: "attempt")!, columns.firstIndex(of: "video")!)
        var replaced = 0
        for (line, expected) in zip(try lines(path), try lines(referencePath)) where line != expected {
            guard expected[videoColumn] == video, line[attempt] != expected[attempt], line.prefix(attempt) == expected.prefix(attempt)
            else {
                throw Failure("\(path): sample \(line[2]) differs from \(referencePath), and \(video) is no part of it")
            }
            replaced += 1
        }
        return replaced
    }
}
