import Foundation
import TestSupport
import Testing

/// Waits until a program has said something.
func wait(for text: String, in running: Programs.Running) throws {
    while !running.output.contains(text) {
        try #require(running.process.isRunning, "ended before '\(text)': \(running.output)")
        usleep(10_000)
    }
}

/// Processes of a program with a word in their command line.
func processes(named name: String, with word: String) -> [Int32] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap(Int32.init).filter { id in
        let line = FileManager.default.contents(atPath: "/proc/\(id)/cmdline").map { String(decoding: $0, as: UTF8.self) } ?? ""
        return line.contains("/\(name)\0") && line.contains(word)
    }
}
