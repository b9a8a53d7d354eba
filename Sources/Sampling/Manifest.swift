import Foundation

/// The videos a run learns from, as `tandem prepare` found them.
///
/// On disk: JSON lines. First `{"tandem-manifest":1,"videos":N}`, then one ``VideoRecord`` a line, ascending by path.
public struct Manifest: Equatable, Sendable {
    /// The version of the file format that this code reads and writes.
    public static let version = 1

    /// The videos, ascending by path.
    public let records: [VideoRecord]

    /// 16 hexadecimal digits that name the content: equal manifests give equal samples. Sizes and places of files do not enter.
    public let identity: String

    /// - Parameter records: in any order, each path once.
    public init(records: [VideoRecord]) {
        self.records = records.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        var hash = FowlerNollVoHash()
        for record in self.records { hash.add(record) }
        identity = hash.hexadecimal
    }

    /// Reads a manifest.
    ///
    /// - Throws: ``ManifestError`` naming file and line where the file is missing, empty, cut off, of another version, or holds a
    ///   record that cannot be true.
    public init(contentsOf path: String) throws(ManifestError) {
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
            throw ManifestError(path, nil, "cannot be read; 'tandem prepare FOLDER' writes one into the folder")
        }
        let lines = data.split(separator: UInt8(ascii: "\n"))
        let decoder = JSONDecoder()
        guard let first = lines.first, let header = try? decoder.decode(Header.self, from: first) else {
            throw ManifestError(path, 1, "is not the header of a manifest; 'tandem prepare FOLDER' writes manifests")
        }
        guard header.version == Self.version else {
            throw ManifestError(path, 1, "is of version \(header.version), this program reads \(Self.version); prepare the folder again")
        }
        guard header.videos == lines.count - 1 else {
            throw ManifestError(path, nil, "promises \(header.videos) videos but lists \(lines.count - 1); prepare the folder again")
        }
        guard header.videos > 0 else { throw ManifestError(path, nil, "lists no videos") }

        var records: [VideoRecord] = []
        records.reserveCapacity(header.videos)
        for (index, line) in lines.enumerated().dropFirst() {
            guard let record = try? decoder.decode(VideoRecord.self, from: line) else {
                throw ManifestError(path, index + 1, "is not a video's record; prepare the folder again")
            }
            if let fault = record.fault { throw ManifestError(path, index + 1, "\(record.path): \(fault); prepare the folder again") }
            if let last = records.last, !last.path.utf8.lexicographicallyPrecedes(record.path.utf8) {
                throw ManifestError(path, index + 1, "\(record.path) stands twice or out of order; prepare the folder again")
            }
            records.append(record)
        }
        self.init(records: records)
    }

    /// Writes the manifest; the file at `path` is whole at any time, the old one or the new one.
    public func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(Header(version: Self.version, videos: records.count))
        for record in records {
            data.append(UInt8(ascii: "\n"))
            data.append(try encoder.encode(record))
        }
        data.append(UInt8(ascii: "\n"))
        try data.write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    private struct Header: Codable {
        var version: Int
        var videos: Int

        enum CodingKeys: String, CodingKey {
            case version = "tandem-manifest"
            case videos
        }
    }
}

/// A manifest that cannot be used.
public struct ManifestError: Error, CustomStringConvertible, Equatable, Sendable {
    public let path: String
    /// The line it is about, counted from 1; nil where it is about the whole file.
    public let line: Int?
    /// What is wrong; continues a sentence that begins with the file's name.
    public let detail: String

    init(_ path: String, _ line: Int?, _ detail: String) {
        self.path = path
        self.line = line
        self.detail = detail
    }

    public var description: String { path + (line.map { ", line \($0)" } ?? "") + ": " + detail }
}

extension VideoRecord {
    /// What makes this record impossible, nil where nothing does. Whoever reads records from outside asks before using them.
    public var fault: String? {
        if path.isEmpty || path.hasPrefix("/") || path.split(separator: "/").contains("..") {
            return "the path leads out of the media folder"
        }
        if width < 1 || height < 1 { return "a picture of \(width)x\(height)" }
        if timeBase.numerator < 1 || timeBase.denominator < 1 { return "a time base of \(timeBase.numerator)/\(timeBase.denominator)" }
        if frameCount < 2 { return "fewer than two frames" }
        if frameCount > 1 << 24 { return "\(frameCount) frames, more than any video here can have" }
        if !timestamps.areAscending { return "presentation times that do not ascend" }
        if !isWithinArithmetic { return "a duration or a size beyond all bounds" }
        if !zip(keyFrames, keyFrames.dropFirst()).allSatisfy({ $0 < $1 }) { return "key frames that do not ascend" }
        if let first = keyFrames.first, let last = keyFrames.last, first < 0 || last >= frameCount { return "a key frame that is no frame" }
        if contentHash.utf8.count != 32 { return "a content hash of \(contentHash.utf8.count) digits, not 32" }
        return nil
    }
}

/// The 64-bit FNV-1a hash: fixed for good, unlike `Hasher`, and fast enough for a manifest.
private struct FowlerNollVoHash {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ record: VideoRecord) {
        add(record.path)
        add(record.contentHash)
        add(Int64(record.timeBase.numerator))
        add(Int64(record.timeBase.denominator))
        add(Int64(record.width))
        add(Int64(record.height))
        add(Int64(record.frameCount))
        switch record.timestamps {
        case .even(let start, let step, _):
            add(start)
            add(step)
        case .table(let times):
            for time in times { add(time) }
        }
    }

    /// Adds the text and its end, so that neighbouring texts cannot trade letters.
    private mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte) }
        add(UInt8(0))
    }

    private mutating func add(_ number: Int64) {
        for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: number >> Int64(shift))) }
    }

    private mutating func add(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    var hexadecimal: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
