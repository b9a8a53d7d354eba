import Console
import Foundation
import Media

/// `tandem prepare`: from a folder of videos to a manifest.
func prepare(arguments: [String]) throws {
    var options = Arguments(
        "tandem prepare",
        about: """
            Decodes every video of a folder once, and writes which frames they have (\(Preparation.manifestName)) and which files cannot be \
            used (\(Preparation.rejectsName)). Can be interrupted and run again; unchanged files are not read twice.
            """,
        arguments: arguments)
    let output = options.value("--output", "FOLDER", "where manifest and rejects go (default: the folder of videos)")
    let jobs = options.value("--jobs", "N", "videos decoded at a time", default: ProcessInfo.processInfo.activeProcessorCount)
    let folder = options.operand("FOLDER", "the videos, in it or in folders below it")
    if MediaRoot(folder).isServer {
        options.refuse("\(folder) is a server; prepare the folder that it serves, on its machine, and give runs its URL as data.media")
    }
    if jobs < 1 { options.refuse("--jobs wants at least 1, not \(jobs)") }
    options.finish()

    Interruption.catchSignals()
    let summary = try showingProgress { show in
        try Preparation(folder: folder, output: output, jobs: jobs).run(shouldStop: { Interruption.isRequested }, progress: show)
    }
    print(describe(summary, output: output ?? folder))
}

/// Runs the body with a function that shows how far it is; the last line stays, however the body ends.
private func showingProgress<Result>(_ body: ((Preparation.Progress) -> Void) throws -> Result) rethrows -> Result {
    let begin = monotonicSeconds()
    var line = ProgressLine()
    var last: Preparation.Progress?
    func bar(_ progress: Preparation.Progress) -> String {
        progressBar(
            done: progress.done, of: progress.total, unit: "videos", elapsed: monotonicSeconds() - begin, doneAtStart: progress.unchanged)
    }
    defer { if let last { line.finish(bar(last)) } }
    return try body { progress in
        line.show(bar(progress))
        last = progress
    }
}

private func describe(_ summary: Preparation.Summary, output: String) -> String {
    let videos = summary.manifest.records.count
    let rejects = summary.rejects.values.reduce(0, +)
    let hours = String(format: "%.2f", summary.hours)
    var text = "\(videos) videos with \(summary.frames) frames, \(hours) hours, in \(output)/\(Preparation.manifestName)"
    text += " (identity \(summary.manifest.identity))."
    if rejects > 0 { text += " \(rejects) rejected: \(summary.rejectsByReason); see \(output)/\(Preparation.rejectsName)." }
    if summary.unchanged > 0 { text += " \(summary.unchanged) files were unchanged and not read again." }
    return text
}
