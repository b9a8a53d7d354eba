import Base
import Foundation

/// Reads files of JSON objects, one a line, without holding more than a piece of them.
enum JSONLines {
    /// Bytes of a line; what is longer is no line of a log.
    private static let longestLine = 1 << 20

    /// Calls `body` with the objects in turn.
    ///
    /// - Returns: lines that are no objects. A last line that was cut off is none of them: its run is being written, or was killed.
    /// - Throws: where the file cannot be read. One that does not exist has no lines.
    static func read(_ path: String, _ body: ([String: Any]) -> Void) throws(Failure) -> Int {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return 0 }
        guard descriptor >= 0 else { throw Failure("cannot read \(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var (rest, skipped, isTooLong) = ([UInt8](), 0, false)
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw Failure("cannot read \(path): \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            var start = 0
            while let end = buffer[start..<count].firstIndex(of: UInt8(ascii: "\n")) {
                rest += buffer[start..<end]
                if isTooLong || !take(rest, body) { skipped += 1 }
                rest.removeAll(keepingCapacity: true)
                (start, isTooLong) = (end + 1, false)
            }
            if rest.count + count - start > longestLine { (rest, isTooLong) = ([], true) } else { rest += buffer[start..<count] }
        }
        _ = take(rest, body)
        return skipped
    }

    private static func take(_ line: [UInt8], _ body: ([String: Any]) -> Void) -> Bool {
        if line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) { return true }
        guard let object = object(Data(line)) else { return false }
        body(object)
        return true
    }

    /// Python writes numbers that JSON has no word for.
    private static func object(_ line: Data) -> [String: Any]? {
        if let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any] { return object }
        let strict = String(decoding: line, as: UTF8.self).replacing(/-?(NaN|Infinity)/, with: "null")
        return (try? JSONSerialization.jsonObject(with: Data(strict.utf8))) as? [String: Any]
    }
}

extension [String: Any] {
    /// A number; not finite where the line says `null`; nil where the key is missing or holds no number.
    func number(_ key: String) -> Double? {
        guard let value = self[key] else { return nil }
        return value is NSNull ? .nan : (value as? NSNumber)?.doubleValue
    }

    /// A whole number that is no size of madness.
    func integer(_ key: String) -> Int? { number(key).flatMap { abs($0) < 1e15 ? Int($0) : nil } }

    func text(_ key: String) -> String? { self[key] as? String }
}
