import Base
import Files
import Foundation
import Sampling

/// The finding about a file: a video with its record, or a reject with its reason.
struct PreparationFinding: Codable, Sendable {
    var file: VideoFile
    /// What the manifest lists: of the file, or of what it was encoded to.
    var record: VideoRecord?
    var reason: MediaError.Reason?
    var detail: String?
    var transcoding: Transcoding.Figures?

    /// Whether the failure may pass without a change of the file.
    var mayPass: Bool { reason == .noPermission || reason == .cannotRead }
}

extension MediaError.Reason: Codable {}

/// The file in which ``Preparation`` records its findings one by one: JSON lines, appended as findings come. The last line about a file
/// counts.
///
/// Only the position of each line is kept in memory.
struct PreparationJournal {
    /// The first line. Journals with another one are begun anew.
    private struct Header: Codable {
        /// Raised when the meaning of findings changes.
        var version = 3
        var transcoding: Transcoding?

        enum CodingKeys: String, CodingKey {
            case version = "tandem-prepare-journal"
            case transcoding
        }
    }

    private let path: String
    private let encoder = JSONEncoder()
    private let file: FileHandle
    private var lines: [FilePath: Range<UInt64>] = [:]

    /// Whether a journal exists that a preparation of this kind can continue.
    static func isThere(_ path: String, _ transcoding: Transcoding?) -> Bool {
        guard let header = try? header(transcoding) else { return false }
        return FileHandle(forReadingAtPath: path).flatMap { try? $0.read(upToCount: header.count) } == header
    }

    private static func header(_ transcoding: Transcoding?) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(Header(transcoding: transcoding)) + [UInt8(ascii: "\n")]
    }

    /// Opens the journal, or begins it where it is missing or of another kind.
    init(path: String, transcoding: Transcoding?) throws(PreparationError) {
        self.path = path
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if let obstacle = obstacleToReading(path), FileIdentity(path) != nil {
            throw PreparationError("\(path) is to be the journal, and \(obstacle); choose another --output, or move it away")
        }
        do {
            if !Self.isThere(path, transcoding) {
                try Self.header(transcoding).write(to: URL(fileURLWithPath: path), options: .atomic)
            }
            guard let file = FileHandle(forUpdatingAtPath: path) else { throw CocoaError(.fileReadNoPermission) }
            self.file = file
        } catch {
            throw PreparationError("\(path): cannot write the journal: \(sentence(of: error))")
        }
    }

    /// Videos whose finding is known.
    var count: Int { lines.count }

    func knows(_ file: VideoFile) -> Bool { lines[FilePath(file.path)] != nil }

    /// Reads the findings about files that have not changed since. A line cut off by an interruption is skipped.
    mutating func keep(
        _ sources: [PreparationSource], isCurrent: (PreparationFinding) -> Bool
    ) throws(PreparationError) {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) else { return }
        let decoder = JSONDecoder()
        let current = Dictionary(sources.map { (FilePath($0.file.path), $0) }, uniquingKeysWith: { first, _ in first })
        for line in data.split(separator: UInt8(ascii: "\n")).dropFirst() {
            guard let finding = try? decoder.decode(PreparationFinding.self, from: line) else { continue }
            let path = FilePath(finding.file.path)
            guard let source = current[path], source.file == finding.file,
                finding.record.map({ FilePath($0.path) == FilePath(source.name) }) ?? true, isCurrent(finding), !finding.mayPass
            else { continue }
            lines[path] = UInt64(line.startIndex)..<UInt64(line.endIndex)
        }
    }

    /// The finding about a file that the journal knows.
    func finding(_ file: VideoFile) throws(PreparationError) -> PreparationFinding {
        do { return try JSONDecoder().decode(PreparationFinding.self, from: try line(file)) } catch {
            throw PreparationError("\(path): cannot read the journal: \(sentence(of: error))")
        }
    }

    private func line(_ file: VideoFile) throws -> Data {
        let place = lines[FilePath(file.path)]!
        try self.file.seek(toOffset: place.lowerBound)
        return try self.file.read(upToCount: place.count) ?? Data()
    }

    /// Adds a finding.
    mutating func append(_ finding: PreparationFinding) throws(PreparationError) {
        do {
            let line = try encoder.encode(finding)
            // A newline is written before each line, so that a line that was cut off spoils no other.
            let start = try file.seekToEnd() + 1
            try file.write(contentsOf: [UInt8(ascii: "\n")] + line + [UInt8(ascii: "\n")])
            lines[FilePath(finding.file.path)] = start..<start + UInt64(line.count)
        } catch {
            throw PreparationError("\(path): cannot write the journal: \(sentence(of: error))")
        }
    }
}
