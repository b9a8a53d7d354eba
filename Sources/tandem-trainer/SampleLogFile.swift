import Base
import Console
import Foundation
import Media
import Sampling

/// The file of `--sample-log`: a line for every sample, in the order of training.
final class SampleLogFile {
    private let file: FileHandle
    private var text = ""

    /// Opens the log.
    ///
    /// - Parameter step: the step after which the run continues: lines of later steps are dropped, for those samples come again.
    init(_ path: String, continuingAfter step: Int) throws {
        let kept = step > 0 ? Self.bytes(of: path, upTo: step) : 0
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0, ftruncate(descriptor, kept) == 0 else {
            throw Failure("cannot write the sample log \(path): \(String(cString: strerror(errno)))")
        }
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.seekToEnd()
        if kept == 0 { text = SampleLog.header + "\n" }
    }

    /// The lines of a micro-batch.
    /// - Parameter firstSlot: place of its first sample in the step's batch.
    static func lines(_ samples: [SampleBlock], step: Int, firstSlot: Int) -> String {
        samples.enumerated().map { offset, sample in
            let hashes = sample.arrays.filter(\.isPictures).map { PixelHash.hexadecimal(of: sample.bytes($0.name)!) }
            return SampleLog.line(step: step, slot: firstSlot + offset, sample: sample, pixelHash: hashes.joined(separator: ",")) + "\n"
        }.joined()
    }

    /// Adds the lines of a step, or of a part of it.
    func append(_ lines: String) throws {
        text += lines
        if text.utf8.count > 1 << 16 { try flush() }
    }

    /// Brings all lines to the disk: a checkpoint must not know of samples that the log does not.
    func synchronize() throws {
        try flush()
        try file.synchronize()
    }

    private func flush() throws {
        try file.write(contentsOf: Data(text.utf8))
        text = ""
    }

    /// How much of a log is header and lines of steps up to one, 0 where it is no log. A log may be long: it is looked at from its end.
    private static func bytes(of path: String, upTo step: Int) -> Int {
        let header = Data((SampleLog.header + "\n").utf8)
        guard let log = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped), log.starts(with: header) else {
            return 0
        }
        return log.withUnsafeBytes { bytes in
            let newline = UInt8(ascii: "\n")
            // A last line without an end was cut off.
            var end = (bytes.lastIndex(of: newline) ?? 0) + 1
            while end > header.count {
                let start = (bytes[..<(end - 1)].lastIndex(of: newline) ?? 0) + 1
                let number = bytes[start..<end].prefix { $0 != UInt8(ascii: "\t") }
                if let number = Int(String(decoding: number, as: UTF8.self)), number <= step { return end }
                end = start
            }
            return header.count
        }
    }
}
