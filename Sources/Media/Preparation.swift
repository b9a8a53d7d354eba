import Foundation
import Sampling
import Synchronization

/// Turns a folder of videos into a manifest and a list of rejects, decoding every video once, several at a time.
///
/// Beside the manifest stands a journal of what each file was found to be. A file whose size and modification time still are as the journal
/// says is not read again, so an interrupted preparation goes on where it stopped and a second one costs nothing.
public struct Preparation: Sendable {
    /// The names of the files written into the output folder.
    public static let manifestName = "manifest.jsonl"
    public static let rejectsName = "rejects.jsonl"

    /// Endings of the names of files that are taken for videos.
    public static let videoExtensions: Set<String> = [
        "3g2", "3gp", "asf", "avi", "flv", "ivf", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf", "ogv", "ts", "vob",
        "webm",
        "wmv",
    ]

    /// How far a preparation is.
    public struct Progress: Sendable {
        /// Files done, those that the journal knew included.
        public var done: Int
        /// Files that the journal knew.
        public var unchanged: Int
        public var total: Int
    }

    /// What a preparation found.
    public struct Summary: Sendable {
        public var manifest: Manifest
        /// Files that cannot be used, by reason.
        public var rejects: [MediaError.Reason: Int]
        /// Files that the journal knew.
        public var unchanged: Int

        public var frames: Int { manifest.records.reduce(0) { $0 + $1.frameCount } }

        public var hours: Double {
            manifest.records.reduce(0) { $0 + $1.seconds(ofFrame: $1.frameCount - 1) } / 3600
        }
    }

    private let folder: String
    private let output: String
    private let jobs: Int

    /// - Parameters:
    ///   - folder: the media folder, searched with all its subfolders, hidden ones left out.
    ///   - output: where manifest and rejects go; created where it is missing. The media folder where nil.
    ///   - jobs: videos decoded at a time.
    public init(folder: String, output: String? = nil, jobs: Int) {
        precondition(jobs > 0, "\(jobs) jobs")
        self.folder = folder
        self.output = output ?? folder
        self.jobs = jobs
    }

    /// Runs to the end or until it is told to stop.
    ///
    /// - Parameters:
    ///   - shouldStop: asked some times a second; true ends the run with an error, keeping what was done.
    ///   - progress: told as often.
    /// - Throws: where the folder is missing or holds no video, where no video can be used, and where the output cannot be written.
    public func run(shouldStop: () -> Bool = { false }, progress: (Progress) -> Void = { _ in }) throws(PreparationError) -> Summary {
        let files = try findVideos()
        do { try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true) } catch {
            throw PreparationError("\(output): cannot create the folder for the manifest")
        }
        let journal = try PreparationJournal(path: output + "/.prepare-journal.jsonl")
        var findings = journal.findings(for: files)
        let unchanged = findings.count
        let work = files.filter { findings[$0.path] == nil }

        let inspectors = Inspectors(folder: folder, work: work)
        inspectors.start(min(jobs, work.count))
        while findings.count < files.count {
            for finding in inspectors.takeFindings() {
                try journal.append(finding)
                findings[finding.file.path] = finding
            }
            progress(Progress(done: findings.count, unchanged: unchanged, total: files.count))
            if shouldStop() {
                inspectors.stop()
                throw PreparationError("interrupted after \(findings.count) of \(files.count) videos; run it again to go on from there")
            }
            if findings.count < files.count { usleep(20_000) }
        }
        let ordered = files.map { findings[$0.path]! }
        try journal.replace(with: ordered)
        return try write(ordered, unchanged: unchanged)
    }

    /// The videos of the folder, ascending by path.
    private func findVideos() throws(PreparationError) -> [VideoFile] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
            throw PreparationError("\(folder): there is no such folder")
        }
        guard isFolder.boolValue, let walk = FileManager.default.enumerator(atPath: folder + "/") else {
            throw PreparationError("\(folder): this is not a folder that can be read")
        }
        var files: [VideoFile] = []
        while let path = walk.nextObject() as? String {
            if (path as NSString).lastPathComponent.hasPrefix(".") {
                walk.skipDescendants()
            } else if Self.videoExtensions.contains((path as NSString).pathExtension.lowercased()),
                let file = VideoFile(path: path, in: folder)
            {
                files.append(file)
            }
        }
        guard !files.isEmpty else {
            let endings = Self.videoExtensions.sorted().map { "." + $0 }.joined(separator: " ")
            throw PreparationError("\(folder): no videos here; looked for \(endings)")
        }
        return files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private func write(_ findings: [PreparationFinding], unchanged: Int) throws(PreparationError) -> Summary {
        let rejected = findings.filter { $0.record == nil }
        let counts = Dictionary(rejected.map { ($0.reason ?? .undecodable, 1) }, uniquingKeysWith: +)
        let summary = Summary(manifest: Manifest(records: findings.compactMap(\.record)), rejects: counts, unchanged: unchanged)
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let lines = try rejected.map { finding in
                try encoder.encode(["path": finding.file.path, "reason": finding.reason?.rawValue, "detail": finding.detail]) + [
                    UInt8(ascii: "\n")
                ]
            }
            try Data(lines.joined()).write(to: URL(fileURLWithPath: output + "/" + Self.rejectsName), options: .atomic)
            guard !summary.manifest.records.isEmpty else {
                throw PreparationError(
                    "\(folder): none of its \(findings.count) videos can be used (\(summary.rejectsByReason)); \(output)/\(Self.rejectsName) says why"
                )
            }
            try summary.manifest.write(to: output + "/" + Self.manifestName)
        } catch let error as PreparationError {
            throw error
        } catch {
            throw PreparationError("\(output): cannot write the manifest: \(error.localizedDescription)")
        }
        return summary
    }
}

extension Preparation.Summary {
    /// "3 cannot open, 1 too short": the rejects, the most frequent reason first.
    public var rejectsByReason: String {
        rejects.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }.map { "\($0.value) \($0.key.rawValue)" }.joined(
            separator: ", ")
    }
}

/// Why a folder could not be prepared, in one sentence.
public struct PreparationError: Error, CustomStringConvertible, Equatable, Sendable {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// Threads that inspect videos, each taking the next that nobody has.
private final class Inspectors: Sendable {
    private let folder: String
    private let work: [VideoFile]
    private let next = Atomic<Int>(0)
    /// The one place where the threads meet: finished findings wait here for the thread that keeps the journal.
    private let finished = Mutex<[PreparationFinding]>([])

    init(folder: String, work: [VideoFile]) {
        self.folder = folder
        self.work = work
    }

    func start(_ count: Int) {
        for _ in 0..<count {
            let thread = Thread { self.inspectUntilNothingIsLeft() }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// No further video is begun. Those in work are left to end by themselves.
    func stop() { next.store(work.count, ordering: .relaxed) }

    func takeFindings() -> [PreparationFinding] {
        finished.withLock { findings in
            defer { findings = [] }
            return findings
        }
    }

    private func inspectUntilNothingIsLeft() {
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < work.count else { return }
            let finding = PreparationFinding(inspecting: work[index], in: folder)
            finished.withLock { $0.append(finding) }
        }
    }
}
