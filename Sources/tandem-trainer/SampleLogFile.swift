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
        let old = step > 0 ? try? String(contentsOfFile: path, encoding: .utf8) : nil
        let kept = SampleLog.header + "\n" + Self.lines(old ?? "", upTo: step)
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
        text.split(separator: "\n").filter { line in
            line.prefix { $0 != "\t" }.isNumber(upTo: step)
        }.map { $0 + "\n" }.joined()
    }
}

extension Substring {
    fileprivate func isNumber(upTo limit: Int) -> Bool { Int(self).map { $0 <= limit } ?? false }
}
