import Foundation
import Sampling

/// A video file as the folder shows it, without opening it.
struct VideoFile: Codable, Equatable, Sendable {
    /// Relative to the media folder.
    var path: String
    var bytes: Int
    /// Time of the last modification in nanoseconds since 1970.
    var modified: Int64

    /// nil for what is no file, a folder with a video's name for instance. A file that cannot be looked at counts as one of 0 bytes.
    init?(path: String, in folder: String) {
        var status = stat()
        self.path = path
        if stat(folder + "/" + path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        }
        bytes = Int(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }
}

/// What a file was found to be: a video with its record, or a reject with its reason.
struct PreparationFinding: Codable, Sendable {
    var file: VideoFile
    var record: VideoRecord?
    var reason: MediaError.Reason?
    var detail: String?

    init(inspecting file: VideoFile, in folder: String) {
        self.file = file
        do {
            record = try VideoRecord(inspecting: file.path, in: folder)
        } catch {
            reason = error.reason
            detail = error.detail
        }
    }
}

extension MediaError.Reason: Codable {}

/// The file in which ``Preparation`` notes its findings one by one: JSON lines, appended as they come; of a file the last line counts.
struct PreparationJournal {
    /// Raised when findings mean something else than before; journals of another version are begun anew.
    private static let header = Data("{\"tandem-prepare-journal\":1}\n".utf8)

    private let path: String

    /// Opens the journal, or begins it where it is missing or of another version.
    init(path: String) throws(PreparationError) {
        self.path = path
        let begin = FileHandle(forReadingAtPath: path).flatMap { try? $0.read(upToCount: Self.header.count) }
        if begin != Self.header { try replace(with: []) }
    }

    /// What the journal knows of files that have not changed since, by path. A line cut off by an interruption is passed over.
    func findings(for files: [VideoFile]) -> [String: PreparationFinding] {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) else { return [:] }
        let decoder = JSONDecoder()
        let current = Dictionary(files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        var findings: [String: PreparationFinding] = [:]
        for line in data.split(separator: UInt8(ascii: "\n")).dropFirst() {
            guard let finding = try? decoder.decode(PreparationFinding.self, from: line), current[finding.file.path] == finding.file else {
                continue
            }
            findings[finding.file.path] = finding
        }
        return findings
    }

    /// Adds a finding.
    func append(_ finding: PreparationFinding) throws(PreparationError) {
        do {
            guard let handle = FileHandle(forWritingAtPath: path) else { throw CocoaError(.fileNoSuchFile) }
            defer { try? handle.close() }
            try handle.seekToEnd()
            try handle.write(contentsOf: try Self.line(finding))
        } catch {
            throw unwritable(error)
        }
    }

    /// Writes the journal anew; the file is whole at any time.
    func replace(with findings: [PreparationFinding]) throws(PreparationError) {
        do {
            let lines = try findings.map(Self.line)
            try (Self.header + lines.joined()).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw unwritable(error)
        }
    }

    /// A line begins with its end: so one that was cut off spoils no other.
    private static func line(_ finding: PreparationFinding) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try [UInt8(ascii: "\n")] + encoder.encode(finding) + [UInt8(ascii: "\n")]
    }

    private func unwritable(_ error: any Error) -> PreparationError {
        PreparationError("\(path): cannot write the journal: \(error.localizedDescription)")
    }
}
