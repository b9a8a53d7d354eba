import Console
import Foundation
import Media

/// `tandem frames`: what each frame of a video holds.
func printFrames(arguments: [String]) throws {
    var options = Arguments(
        "tandem frames",
        about: """
            Prints a line for each frame of a video's best stream, in presentation order: stream 0, dts and pts (both its presentation time, in \
            ticks of the stream's time base), duration (the mean one), size in bytes and MD5 of its raw planes. The planes are as they are \
            stored, neither turned nor scaled.

            The lines are those of
              ffmpeg -threads 1 -copyts -noautorotate -i VIDEO -map 0:STREAM -autoscale 0 -fps_mode passthrough -enc_time_base -1 \
            -f framemd5 -
            """,
        arguments: arguments)
    let order = options.value(
        "--order", "sequential|random",
        "sequential: one pass; random: each frame is sought by itself, shuffled, and the lines sorted again",
        default: FrameOrder.sequential)
    let seed = options.value("--seed", "N", "how a random order is shuffled", default: UInt64(0))
    _ = options.value("--format", "framemd5", "the form of the lines", default: FrameFormat.framemd5)
    let path = options.operand("VIDEO", "the file")
    options.finish()

    let checksums = try order == .sequential ? FrameChecksums(sequential: path) : FrameChecksums(random: path, seed: seed)
    FileHandle.standardOutput.write(Data(checksums.frameMD5.utf8))
}

/// The order in which frames are read.
private enum FrameOrder: String, CaseIterable, LosslessStringConvertible {
    case sequential, random

    init?(_ description: String) { self.init(rawValue: description) }
    var description: String { rawValue }
}

/// The form in which frames are listed.
private enum FrameFormat: String, CaseIterable, LosslessStringConvertible {
    case framemd5

    init?(_ description: String) { self.init(rawValue: description) }
    var description: String { rawValue }
}
