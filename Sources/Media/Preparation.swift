import Files
import Foundation
import Sampling

/// Turns a folder of videos and stills into a manifest and a list of rejects. Each is decoded once, several at a time, and videos may be
/// encoded anew meanwhile.
///
/// A journal beside the manifest keeps what each file was found to be. A file whose size and modification time are still those in the
/// journal is not read again, so an interrupted preparation continues where it stopped, and a second one costs nothing.
public struct Preparation: Sendable {
    /// The names of the files written into the output folder.
    public static let manifestName = "manifest.tandem"
    /// The name of the list of files that cannot be used, a JSON object a line.
    public static let rejectsName = "rejects.jsonl"

    /// How far a preparation is.
    public struct Progress: Sendable {
        /// Videos done, those that the journal knew included.
        public var done: Int
        /// Videos that the journal knew.
        public var unchanged: Int
        /// Videos found.
        public var total: Int
    }

    let folder: String
    let output: String
    let transcoding: Transcoding?
    let remote: RemoteArchives?
    private let extensions: Set<String>
    private let takesStills: Bool
    private let list: SpanList?
    private let jobs: Int

    /// - Parameters:
    ///   - folder: the media folder, searched with all its subfolders, linked ones too, hidden ones left out.
    ///   - remote: tar archives on a server, whose root `folder` is then; nil: what lies in the folder.
    ///   - output: where manifest and rejects go; created where it is missing. The media folder where nil.
    ///   - extensions: further endings of files that are taken for videos, in small letters.
    ///   - takesStills: whether pictures are listed too, as videos of one frame; they never are where videos are encoded anew.
    ///   - list: the spans that are wanted, of the videos that it names; nil: all videos, whole.
    ///   - transcoding: how the videos are encoded anew, into `output`, which must lie outside `folder` then; nil lists them as they are.
    ///   - jobs: videos decoded at a time.
    public init(
        folder: String, remote: RemoteArchives? = nil, output: String? = nil, extensions: Set<String> = [], takesStills: Bool = true,
        list: SpanList? = nil,
        transcoding: Transcoding? = nil, jobs: Int
    ) {
        precondition(jobs > 0, "\(jobs) jobs")
        self.folder = folder
        self.remote = remote
        self.output = output ?? folder
        self.extensions = extensions
        self.takesStills = takesStills
        self.list = list
        self.transcoding = transcoding
        self.jobs = jobs
    }

    /// Runs to the end, or until `shouldStop` returns true.
    ///
    /// - Parameters:
    ///   - shouldStop: asked some times a second; true ends the run with an error, keeping what was done.
    ///   - progress: told as often.
    /// - Throws: where the folder is missing or holds no video, where no video can be used, and where the output cannot be written.
    public func run(shouldStop: () -> Bool = { false }, progress: (Progress) -> Void = { _ in }) throws(PreparationError) -> Summary {
        let found = try PreparationSources(
            in: folder, remote, extensions: extensions, takesStills: takesStills, spans: list, transcoding, output: output)
        let sources = found.videos
        if transcoding != nil, found.tree?.contains(output) == true {
            throw PreparationError("\(output) is part of \(folder), which is read, and the two would mix; choose an output outside")
        }
        let claimed = try claimOutput(sources)
        defer { claimed.release() }
        let journalPath = output + "/" + Self.journalName
        // A new journal lists no earlier result, so all names are claimed before it is begun.
        if !PreparationJournal.isThere(journalPath, transcoding) { try claim(sources, in: claimed) }
        var journal = try PreparationJournal(path: journalPath, transcoding: transcoding)
        try journal.keep(sources, isCurrent: isThere)
        let unchanged = journal.count
        let work = sources.filter { !journal.knows($0.file) }
        try claim(work, in: claimed)

        let workers = PreparationWorkers(folder: folder, server: remote?.server, output: output, transcoding: transcoding, work: work)
        workers.start(min(jobs, work.count))
        defer { workers.stop() }
        func collect() throws(PreparationError) {
            for finding in workers.takeFindings() { try journal.append(finding) }
            progress(Progress(done: journal.count, unchanged: unchanged, total: sources.count))
        }
        while journal.count < sources.count {
            try collect()
            if shouldStop() || workers.failure != nil {
                workers.stop()
                // The findings up to here are kept as well.
                try collect()
                if let failure = workers.failure {
                    let remedy = failure.reason == .cannotWrite ? "See that \(output) has room and can be written, and run" : "Run"
                    throw PreparationError(
                        "\(failure); \(journal.count) of \(sources.count) videos are done. \(remedy) it again to go on from there")
                }
                throw PreparationError("interrupted after \(journal.count) of \(sources.count) videos; run it again to go on from there")
            }
            if journal.count < sources.count { usleep(20_000) }
        }
        return try write(found, journal, unchanged: unchanged)
    }

    /// Whether the file that a finding says was written exists.
    private func isThere(_ finding: PreparationFinding) -> Bool {
        guard transcoding != nil, let record = finding.record else { return true }
        return VideoFile(path: record.path, in: output)?.bytes == record.bytes
    }

    /// Writes rejects and manifest, finding by finding.
    private func write(
        _ sources: PreparationSources, _ journal: PreparationJournal, unchanged: Int
    ) throws(PreparationError) -> Summary {
        var counts = Summary.Counts()
        counts.unchanged = unchanged
        var rejects = sources.rejects
        do {
            let hasMembers = transcoding == nil && sources.videos.contains { $0.file.archive != nil }
            var writer = try ManifestWriter(path: output + "/" + Self.manifestName, withExtents: list != nil || hasMembers)
            for source in sources.videos {
                let finding = try journal.finding(source.file)
                guard let record = finding.record else {
                    rejects.append(.init(finding))
                    continue
                }
                let path = source.file.path
                let records =
                    list?.spans(of: record, file: path) { rejects.append(.init(path: path, reason: $0, detail: $1)) } ?? [record]
                for record in records { try writer.append(record) }
                counts.add(records, finding.transcoding)
            }
            for reject in rejects { counts.add(reject) }
            try write(rejects)
            guard counts.frames + counts.stills > 0 else {
                throw PreparationError(
                    "\(folder): none of its \(rejects.count) files can be used (\(counts.rejectsByReason)); "
                        + "\(output)/\(Self.rejectsName) says why" + (sources.passedOver.note.map { "; \($0)" } ?? ""))
            }
            return Summary(manifest: try writer.finish(), counts: counts, passedOver: sources.passedOver)
        } catch let error as PreparationError {
            throw error
        } catch {
            throw PreparationError("\(output): cannot write the manifest: \(error)")
        }
    }

    /// Writes a line for each, ascending by path.
    private func write(_ rejects: [PreparationSources.Reject]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var lines = Data()
        for reject in rejects.sorted(by: { FilePath($0.path) < FilePath($1.path) }) {
            lines += try encoder.encode(["path": reject.path, "reason": reject.reason.rawValue, "detail": reject.detail])
            lines.append(UInt8(ascii: "\n"))
        }
        try lines.write(to: URL(fileURLWithPath: output + "/" + Self.rejectsName), options: .atomic)
    }
}

/// Tar archives on a server.
public struct RemoteArchives: Sendable {
    let names: [String]
    let server: MediaServer

    /// - Parameter names: relative to the server's root.
    public init(_ names: [String], server: MediaServer) {
        self.names = names
        self.server = server
    }
}

/// Why a folder could not be prepared, in one sentence.
public struct PreparationError: Error, CustomStringConvertible, Equatable, Sendable {
    public let description: String
    init(_ description: String) { self.description = description }
}
