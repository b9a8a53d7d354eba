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
    ///   Nil: the run is new, and so is the file.
    init(_ path: String, continuingAfter step: Int?) throws {
        let old = step == nil ? nil : try? String(contentsOfFile: path, encoding: .utf8)
        let kept = old.map { Self.lines($0, upTo: step!) } ?? SampleLog.header + "\n"
        do {
            try Data(kept.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try file.seekToEnd()
        } catch {
            throw Failure("cannot write the sample log \(path): \(error.localizedDescription)")
        }
    }

    /// Adds the samples of a micro-batch.
    /// - Parameter firstSlot: place of the first one in its step's batch.
    func append(_ samples: [SampleBlock], step: Int, firstSlot: Int) throws {
        for (offset, sample) in samples.enumerated() {
            let hash = PixelHash.hexadecimal(of: sample.bytes("frames")!)
            text += SampleLog.line(step: step, slot: firstSlot + offset, sample: sample, pixelHash: hash) + "\n"
        }
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

    private static func lines(_ text: String, upTo step: Int) -> String {
        let whole = text.split(separator: "\n", omittingEmptySubsequences: true)
        return whole.prefix { line in
            guard let first = line.split(separator: "\t").first, let number = Int(first) else { return line == SampleLog.header }
            return number <= step
        }.map { $0 + "\n" }.joined()
    }
}
