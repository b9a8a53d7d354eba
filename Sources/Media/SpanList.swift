import Files
import Foundation
import Sampling

/// Which spans of which videos are wanted: a list that people write or data sets bring, CSV with a line of names or a JSON object a line.
///
/// A line names a video by `path`, relative to the media folder, with its ending or without; `start` and `end` in seconds after the first
/// frame, or `start_frame` and `end_frame`; and a `label`. What is not said reaches to the video's beginning or end. Frames and times are
/// those from which a span begins and before which it ends.
public struct SpanList: Sendable {
    /// Names in the list that mean nothing here.
    public private(set) var ignored: [String] = []
    /// Lines with a span.
    public private(set) var count = 0
    private let path: String
    private var entries: [FilePath: [Entry]] = [:]

    /// A line of a list.
    private struct Entry: Sendable {
        let line: Int
        let extent: Extent
        let label: String?
    }

    private enum Extent: Sendable {
        case seconds(Double, Double)
        case frames(Int, Int)
    }

    private static let names = ["path", "start", "end", "start_frame", "end_frame", "label"]

    /// Reads a list.
    ///
    /// - Throws: where it cannot be read, and for the first line that says nothing or what cannot be.
    public init(path: String) throws(PreparationError) {
        self.path = path
        if let obstacle = obstacleToReading(path) { throw PreparationError("cannot read \(path): \(obstacle)") }
        guard let data = FileManager.default.contents(atPath: path), var text = String(validating: data, as: UTF8.self) else {
            throw PreparationError("\(path) is not UTF-8 text; a list is CSV or JSON lines")
        }
        if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
        var others = Set<String>()
        for (line, fields) in try text.first == "{" ? objects(text) : table(text) {
            try add(fields, line: line)
            others.formUnion(fields.keys)
        }
        ignored = others.subtracting(Self.names).sorted()
        guard count > 0 else { throw PreparationError("\(path) lists no video") }
    }

    private func fault(_ line: Int, _ text: String) -> PreparationError { PreparationError("\(path), line \(line): \(text)") }

    /// The objects of JSON lines, their values as text.
    private func objects(_ text: String) throws(PreparationError) -> [(line: Int, fields: [String: String])] {
        var found: [(line: Int, fields: [String: String])] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        where !line.allSatisfy(\.isWhitespace) {
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
                throw fault(index + 1, "no JSON object, as the first line is")
            }
            found.append((index + 1, object.filter { !($0.value is NSNull) }.mapValues { "\($0)" }))
        }
        return found
    }

    private mutating func add(_ fields: [String: String], line: Int) throws(PreparationError) {
        guard let name = fields["path"] else { throw fault(line, "no 'path', which names the video, relative to the folder") }
        func number<Number: LosslessStringConvertible>(_ key: String) throws(PreparationError) -> Number? {
            guard let text = fields[key] else { return nil }
            guard let value = Number(text) else {
                throw fault(line, "'\(key)' is '\(text)', and no number of \(key.hasSuffix("frame") ? "a frame" : "seconds")")
            }
            return value
        }
        let times: (Double?, Double?) = (try number("start"), try number("end"))
        let frames: (Int?, Int?) = (try number("start_frame"), try number("end_frame"))
        guard times == (nil, nil) || frames == (nil, nil) else { throw fault(line, "seconds and frames; a span is given in one of them") }
        let isInTime = frames == (nil, nil)
        let (start, end) = isInTime ? (times.0 ?? 0, times.1 ?? .infinity) : (Double(frames.0 ?? 0), Double(frames.1 ?? .max))
        guard start >= 0, start < end else { throw fault(line, "a span from \(start) to \(end)") }
        let label = fields["label"].flatMap { $0.isEmpty ? nil : $0 }
        guard label?.utf8.count ?? 0 <= VideoRecord.maximumLabelBytes else {
            throw fault(line, "a label of more than \(VideoRecord.maximumLabelBytes) bytes")
        }
        let extent: Extent = isInTime ? .seconds(start, end) : .frames(frames.0 ?? 0, frames.1 ?? .max)
        entries[FilePath(name), default: []].append(Entry(line: line, extent: extent, label: label))
        count += 1
    }

    /// The files that the list names, all of a name where its ending is left out; what names none is rejected.
    func choose(from files: [VideoFile], reject: (_ path: String, _ detail: String) -> Void) -> [VideoFile] {
        var found = Set<FilePath>()
        let chosen = files.filter { file in
            let names = Self.names(of: file.path).filter { entries[$0] != nil }
            found.formUnion(names)
            return !names.isEmpty
        }
        for (name, lines) in entries where !found.contains(name) {
            reject("\(name)", "line \(lines[0].line) of \(path) names it, and there is no such video in the folder")
        }
        return chosen
    }

    /// What lines may call a file: by its path, and by its path without the ending.
    private static func names(of path: String) -> [FilePath] {
        let whole = FilePath(path)
        guard !whole.ending.isEmpty else { return [whole] }
        return [whole, FilePath(bytes: Array(whole.bytes.dropLast(whole.ending.utf8.count + 1)))]
    }

    /// The spans of a video, in a manifest's order, each once; what the video does not have is rejected.
    func spans(of record: VideoRecord, file: String, reject: (_ reason: MediaError.Reason, _ detail: String) -> Void) -> [VideoRecord] {
        var spans: [VideoRecord] = []
        for entry in Self.names(of: file).flatMap({ entries[$0] ?? [] }) {
            let frames =
                switch entry.extent {
                case .seconds(let start, let end): record.frames(from: start, to: end)
                case .frames(let start, let end): min(start, record.frameCount)..<min(end, record.frameCount)
                }
            var span = record.cut(to: frames, label: entry.label)
            if frames == 0..<record.frameCount { span.span = nil }
            if let fault = span.fault {
                reject(.impossible, "line \(entry.line) of \(path): \(fault)")
            } else {
                spans.append(span)
            }
        }
        return spans.inManifestOrder()
    }
}

/// The lines of a table with their fields by the names of the first line; empty fields are left out.
private func table(_ text: String) -> [(line: Int, fields: [String: String])] {
    var rows = rows(ofCSV: text)[...]
    guard let head = rows.popFirst() else { return [] }
    let names = head.fields.map { $0.trimmingCharacters(in: .whitespaces) }
    return rows.filter { $0.fields != [""] }.map { line, fields in
        let named = zip(names, fields.map { $0.trimmingCharacters(in: .whitespaces) })
        return (line, Dictionary(named.filter { !$0.1.isEmpty }, uniquingKeysWith: { $1 }))
    }
}

/// RFC 4180: fields between commas, quoted ones with commas and ends of lines in them and quotes doubled.
private func rows(ofCSV text: String) -> [(line: Int, fields: [String])] {
    var rows: [(line: Int, fields: [String])] = []
    var (fields, field, isQuoted, line, start) = ([String](), "", false, 1, 1)
    var rest = text[...]
    while let character = rest.popFirst() {
        if character.isNewline { line += 1 }
        switch character {
        case "\"" where isQuoted && rest.first == "\"": field.append(rest.removeFirst())
        case "\"": isQuoted.toggle()
        case "," where !isQuoted:
            fields.append(field)
            field = ""
        case _ where character.isNewline && !isQuoted:
            rows.append((start, fields + [field]))
            (fields, field, start) = ([], "", line)
        default: field.append(character)
        }
    }
    if !fields.isEmpty || !field.isEmpty { rows.append((start, fields + [field])) }
    return rows
}
