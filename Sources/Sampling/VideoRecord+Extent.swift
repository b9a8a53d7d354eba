import Base

/// Records of less than a file of its own: members of archives, and spans.
extension VideoRecord {
    /// Path of the file that lies in the media folder: of a member, its archive's.
    public var file: String { archive?.path ?? path }

    /// Whether it is a member of an archive, a span or labelled.
    var hasExtent: Bool { archive != nil || span != nil || label != nil }

    /// The record of a span of the file's frames.
    ///
    /// Of the key frames those stay that reading the span begins at: a file of many spans has many records.
    public func cut(to span: Range<Int>, label: String?) -> VideoRecord {
        var record = self
        let first = keyFrames.partitionIndex { $0 > span.lowerBound } - 1
        let end = keyFrames.partitionIndex { $0 >= span.upperBound }
        record.keyFrames = Array(keyFrames[max(0, first)..<max(end, min(1, keyFrames.count))])
        record.span = span
        record.label = label
        return record
    }

    /// What samples are drawn from: a video of the span's frames alone, counted from its first.
    public var drawn: VideoRecord {
        guard let span else { return self }
        var record = self
        record.span = nil
        record.timestamps = timestamps[span]
        record.keyFrames = keyFrames.filter(span.contains).map { $0 - span.lowerBound }
        record.damagedFrames = damagedFrames.filter(span.contains).map { $0 - span.lowerBound }
        return record
    }

    /// The frames that a list means by seconds after the first frame: those shown from `start` until before `end`.
    ///
    /// Times of frames are fractions and those of lists decimals, so a millisecond decides nothing.
    public func frames(from start: Double, to end: Double) -> Range<Int> {
        func first(notBefore time: Double) -> Int { (0..<frameCount).partitionIndex { seconds(ofFrame: $0) > time - 0.001 } }
        let lower = first(notBefore: start)
        return lower..<max(lower, first(notBefore: end))
    }

    /// The order in a manifest: by path, then by span; no two records of a manifest are equal in it.
    func precedes(_ other: VideoRecord) -> Bool {
        guard path.utf8.elementsEqual(other.path.utf8) else { return path.utf8.lexicographicallyPrecedes(other.path.utf8) }
        let (own, others) = (span ?? 0..<0, other.span ?? 0..<0)
        return (own.lowerBound, own.upperBound, label ?? "") < (others.lowerBound, others.upperBound, other.label ?? "")
    }

    /// Writes what ``readExtent(from:)`` reads.
    public func writeExtent(to writer: inout ByteWriter) {
        writer.write(archive?.path ?? "")
        writer.write(archive?.bytes ?? 0)
        writer.write(archive?.offset ?? 0)
        writer.write(span?.lowerBound ?? 0)
        writer.write(span?.upperBound ?? 0)
        writer.write(label ?? "")
    }

    /// Reads the extent of a record whose other fields are known, and makes sure that samples can be drawn from it.
    public mutating func readExtent(from reader: inout ByteReader) throws(MalformedBytes) {
        let place = ArchivePlace(path: try reader.readText(limit: 4096), bytes: try reader.readInt(), offset: try reader.readInt())
        archive = place.path.isEmpty ? nil : place
        let (first, end) = (try reader.readInt(), try reader.readInt())
        guard first >= 0, first <= end else { throw MalformedBytes("\(path): a span from frame \(first) to \(end)") }
        span = end == 0 ? nil : first..<end
        let text = try reader.readText(limit: Self.maximumLabelBytes)
        label = text.isEmpty ? nil : text
        if let extentFault { throw MalformedBytes("\(path): \(extentFault)") }
    }

    /// What makes the extent impossible, nil where nothing does.
    var extentFault: String? {
        if let archive {
            guard path.utf8.starts(with: (archive.path + "/").utf8) else {
                return "a member of \(archive.path), which its path does not name"
            }
            guard archive.offset >= 0, bytes >= 0, archive.bytes >= bytes, archive.offset <= archive.bytes - bytes else {
                return "\(bytes) bytes from byte \(archive.offset) of an archive of \(archive.bytes)"
            }
        }
        if let span {
            guard span.lowerBound >= 0, span.upperBound <= frameCount else {
                return "a span from frame \(span.lowerBound) to \(span.upperBound) of \(frameCount) frames"
            }
            guard span.count >= 2 else { return "a span of \(span.count) frames, and a video has two or more" }
            let damaged = damagedFrames.count(where: span.contains)
            if damaged > drawn.maximumDamagedFrames { return "a span with \(damaged) damaged frames of \(span.count)" }
        }
        if let label, label.utf8.count > Self.maximumLabelBytes { return "a label of \(label.utf8.count) bytes" }
        return nil
    }
}

extension [VideoRecord] {
    /// In the order in which a manifest lists them, each once.
    public func inManifestOrder() -> [VideoRecord] {
        sorted { $0.precedes($1) }.reduce(into: []) { ordered, record in
            if ordered.last?.precedes(record) ?? true { ordered.append(record) }
        }
    }
}

extension Timestamps {
    /// The times of some frames.
    fileprivate subscript(frames: Range<Int>) -> Timestamps {
        switch self {
        case .even(_, let step, _): .even(start: self[frames.lowerBound], step: step, count: frames.count)
        case .table(let times): .table(Array(times[frames]))
        }
    }
}
