// A mutating fuzz driver. It damages good files in thousands of ways and has child processes read them: videos through index, seek, decode
// and convert, pictures, manifests, pipelines and the messages of the dataflow. A child that dies, hangs, or takes too much memory has found something: the file is kept,
// with the command that does it again. `make fuzz` builds it with AddressSanitizer and runs it.

import Base
import Console
import Foundation

runProgram("fuzz") {
    var options = Arguments(
        "fuzz", about: "Reads damaged videos, pictures, manifests, pipelines and messages in child processes, and keeps what harms them.")
    let count = options.value("--count", "N", "cases of every kind of file, and of messages 200 for each case", default: 2000)
    let seed = options.value("--seed", "N", "of the damage", default: UInt64(1))
    let videos = options.value("--videos", "FOLDER", "further good videos to damage, up to 150 KiB each; with its subfolders", default: "")
    let findings = options.value("--findings", "FOLDER", "where files that did harm are kept", default: "fuzz-findings")
    let jobs = options.value("--jobs", "N", "children at a time", default: ProcessInfo.processInfo.activeProcessorCount)
    let cases = options.value("--case", "I", "damage and read only this one, in this process", default: -1)
    let child = options.value("--child", "FIRST,COUNT,CORPUS", "what a child is told by its parent", default: "")
    if count < 1 || jobs < 1 { options.refuse("--count and --jobs want at least 1") }
    options.finish()

    signal(SIGPIPE, SIG_DFL)
    if !child.isEmpty {
        let words = child.split(separator: ",", maxSplits: 2)
        let first = Int(words[0])!
        readCases(first..<first + Int(words[1])!, seed: seed, corpus: try Corpus(folder: String(words[2])))
        return
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-fuzz-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let corpus = try Corpus.make(in: folder, videos: videos)
    if cases >= 0 { return readCases(cases..<cases + 1, seed: seed, corpus: corpus) }
    let again = "\(CommandLine.arguments[0]) --seed \(seed)" + (videos.isEmpty ? "" : " --videos \(videos)")
    let driver = Driver(corpus: corpus, corpusFolder: folder, seed: seed, findings: findings, command: again)
    guard try driver.run(countOfEach: count, jobs: jobs) else { throw Failure("there are findings; see \(findings)") }
}
