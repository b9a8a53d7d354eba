import Base
import Foundation

/// The directory of a zip archive whose records are stored as they are, which is how PyTorch writes its files.
///
/// Compressed and encrypted records are refused when they are asked for. Sizes and places come from the central directory, 64-bit ones
/// included; each is checked against the file, and a record's checksum when it is first read.
/// Source: PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3.
final class ZipArchive {
    /// What the directory says of one record.
    private struct Record {
        var method: UInt16
        var flags: UInt16
        var checksum: UInt32
        var size: Int
        var storedSize: Int
        /// Where the record's own header lies in the file.
        var header: Int
    }

    /// The archive's name in messages.
    let name: String
    private let bytes: Data
    private var records: [String: Record] = [:]
    private var intact: Set<String> = []

    /// Reads the directory.
    init(_ bytes: Data, name: String) throws {
        self.bytes = bytes
        self.name = name
        do {
            try readDirectory()
        } catch is ByteCursor.CutOff {
            throw refusal("its directory is cut off")
        }
    }

    /// The names of all records.
    var names: some Collection<String> { records.keys }

    /// The size of a record, nil where there is none.
    func size(_ record: String) -> Int? { records[record]?.size }

    /// The bytes of a record.
    func read(_ key: String) throws -> Data {
        guard let record = records[key] else { throw refusal("it has no record '\(key)'") }
        guard record.flags & 1 == 0 else { throw refusal("'\(key)' is encrypted", "save the file again with torch.save") }
        guard record.method == 0, record.size == record.storedSize else {
            throw refusal("'\(key)' is compressed, which PyTorch never writes", "save the file again with torch.save")
        }
        var cursor = ByteCursor(bytes, at: record.header)
        do {
            guard try cursor.read(UInt32.self) == Signature.record else { throw refusal("'\(key)' does not lie where its directory says") }
            try cursor.skip(22)
            let (nameLength, extraLength) = (Int(try cursor.read(UInt16.self)), Int(try cursor.read(UInt16.self)))
            guard try cursor.read(count: nameLength).elementsEqual(key.utf8) else { throw refusal("'\(key)' is not in its place") }
            try cursor.skip(extraLength)
            let content = try cursor.read(count: record.size)
            try check(content, key, record)
            return content
        } catch is ByteCursor.CutOff {
            throw refusal("'\(key)' is cut off")
        }
    }

    /// Compares the checksum once. A checksum of zero means that none was computed (`torch.serialization.set_crc32_options`).
    private func check(_ content: Data, _ key: String, _ record: Record) throws {
        guard record.checksum != 0, !intact.contains(key) else { return }
        guard content.withUnsafeBytes(crc32) == record.checksum else { throw refusal("'\(key)' is damaged: its checksum does not agree") }
        intact.insert(key)
    }

    private func refusal(_ why: String, _ remedy: String = ForeignFile.again) -> Failure {
        Failure("\(name) is not a whole zip archive: \(why); \(remedy)")
    }

    private enum Signature {
        static let record: UInt32 = 0x0403_4b50
        static let directoryEntry: UInt32 = 0x0201_4b50
        static let end: UInt32 = 0x0605_4b50
        static let end64: UInt32 = 0x0606_4b50
        static let end64Locator: UInt32 = 0x0706_4b50
    }

    private func readDirectory() throws {
        let (start, size, count) = try findDirectory()
        // An entry takes 46 bytes and more, so that a false count cannot make the loop long.
        guard start >= 0, size >= 0, start <= bytes.count - size, count <= size / 46 else { throw refusal("its directory is cut off") }
        var cursor = ByteCursor(bytes[bytes.startIndex + start..<bytes.startIndex + start + size])
        for _ in 0..<count {
            let (key, record) = try readEntry(&cursor)
            guard records.updateValue(record, forKey: key) == nil else { throw refusal("it holds '\(key)' twice") }
        }
    }

    /// The directory's place, size and number of entries, from the records at the end of the file.
    private func findDirectory() throws -> (start: Int, size: Int, count: Int) {
        // The end record is 22 bytes and a comment of up to 64 KiB.
        let earliest = max(0, bytes.count - 22 - 0xffff)
        let signature = withUnsafeBytes(of: Signature.end.littleEndian) { Data($0) }
        let tail = bytes.startIndex + earliest..<bytes.endIndex
        guard let found = bytes.range(of: signature, options: .backwards, in: tail) else {
            throw refusal("it has no directory, so it was cut off")
        }
        let end = found.lowerBound - bytes.startIndex
        var cursor = ByteCursor(bytes, at: end + 10)
        let count = Int(try cursor.read(UInt16.self))
        let size = Int(try cursor.read(UInt32.self))
        let start = Int(try cursor.read(UInt32.self))
        guard count == 0xffff || size == 0xffff_ffff || start == 0xffff_ffff else { return (start, size, count) }

        cursor = ByteCursor(bytes, at: end - 20)
        guard end >= 20, try cursor.read(UInt32.self) == Signature.end64Locator else { return (start, size, count) }
        try cursor.skip(4)
        cursor = ByteCursor(bytes, at: try place(&cursor))
        guard try cursor.read(UInt32.self) == Signature.end64 else { throw refusal("its directory is not where it should be") }
        try cursor.skip(28)
        let count64 = try place(&cursor)
        let size64 = try place(&cursor)
        return (try place(&cursor), size64, count64)
    }

    private func readEntry(_ cursor: inout ByteCursor) throws -> (key: String, record: Record) {
        guard try cursor.read(UInt32.self) == Signature.directoryEntry else { throw refusal("its directory is damaged") }
        try cursor.skip(4)
        let (flags, method) = (try cursor.read(UInt16.self), try cursor.read(UInt16.self))
        try cursor.skip(4)
        let checksum = try cursor.read(UInt32.self)
        var (storedSize, size) = (Int(try cursor.read(UInt32.self)), Int(try cursor.read(UInt32.self)))
        let nameLength = Int(try cursor.read(UInt16.self))
        let extraLength = Int(try cursor.read(UInt16.self))
        let commentLength = Int(try cursor.read(UInt16.self))
        try cursor.skip(8)
        var header = Int(try cursor.read(UInt32.self))
        let key = String(decoding: try cursor.read(count: nameLength), as: UTF8.self)
        var extra = ByteCursor(try cursor.read(count: extraLength))
        try cursor.skip(commentLength)

        // Numbers that do not fit in 32 bits stand in an extra field, those alone and in this order.
        while extra.remaining >= 4 {
            let (kind, length) = (try extra.read(UInt16.self), Int(try extra.read(UInt16.self)))
            var field = ByteCursor(try extra.read(count: length))
            guard kind == 1 else { continue }
            if size == 0xffff_ffff { size = try place(&field) }
            if storedSize == 0xffff_ffff { storedSize = try place(&field) }
            if header == 0xffff_ffff { header = try place(&field) }
        }
        return (key, Record(method: method, flags: flags, checksum: checksum, size: size, storedSize: storedSize, header: header))
    }

    /// A 64-bit size or place, which no file of this machine can exceed.
    private func place(_ cursor: inout ByteCursor) throws -> Int {
        guard let place = Int(exactly: try cursor.read(UInt64.self)), place <= bytes.count else { throw ByteCursor.CutOff() }
        return place
    }
}
