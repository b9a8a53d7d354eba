import Base
import Console
import Files
import Report

/// `tandem report`: runs on one page.
func writeReport(arguments: [String]) throws {
    var options = Arguments(
        "tandem report",
        about: """
            Writes one HTML file that tells of a run, or of several side by side: curves, scores, figures, settings and what differs, videos \
            that failed. It needs no server and no network. A training writes RUN/report.html itself after each evaluation.
            """,
        arguments: arguments)
    let output: String? = options.value(
        "--output", "FILE.html", "where to write the page; default: RUN/report.html of one run, report.html here of several")
    let paths = options.remainingOperands("RUN", "folders of runs, or folders that hold such, as 'runs' does")
    if paths.isEmpty { options.refuse("name a run's folder, such as runs/NAME") }
    options.finish()

    let folders = try runFolders(paths)
    let file = output ?? (folders.count == 1 ? folders[0] + "/report.html" : "report.html")
    try Report.check(output: file)
    let runs = try folders.map { path in try RunRecord(path) }
    try Report(runs).write(to: file)
    print("\(file): \(runs.count == 1 ? "the run \(runs[0].name)" : "\(runs.count) runs")")
}

/// The folders of runs that paths name, each once; of a folder that is none those in it.
private func runFolders(_ paths: [String]) throws -> [String] {
    var folders: [String] = []
    var seen: Set<FileIdentity> = []
    for path in paths {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        var found = [path]
        if !RunRecord.isRun(path) {
            found = try FolderListing(path).names.compactMap(\.text).map { path + "/" + $0 }.filter(RunRecord.isRun)
            guard !found.isEmpty else { throw Failure("\(path) is no run's folder, with log.txt or pipeline.json5, and holds none") }
        }
        for folder in found {
            guard let identity = FileIdentity(folder), seen.insert(identity).inserted else { continue }
            folders.append(folder)
        }
    }
    return folders
}
