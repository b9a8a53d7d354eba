import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// Streams whose pictures or parameters change on the way.
@Suite(.serialized, .enabled(if: FFmpeg.path != nil, .init(rawValue: FFmpeg.absence))) struct ChangingStreamTests {
    /// Writes 30 pictures.
    private func encode(_ name: String, size: String = "192x128", _ options: String, in folder: String) throws {
        let pictures = ["-f", "lavfi", "-i", "testsrc2=s=\(size):r=25:d=1.2", "-g", "10"]
        try FFmpeg.run(pictures + options.split(separator: " ").map(String.init) + [name], in: folder)
    }

    private func write(_ data: Data, _ path: String) throws { try data.write(to: URL(fileURLWithPath: path)) }
    private func data(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    // MARK: Sizes

    /// Encodings, and what their files are: such as can be joined byte by byte, or by ffmpeg.
    @Test(
        "frames of every size are exact",
        arguments: [
            ("-c:v libx264 -bf 2", "ts", "mp4 mkv ts flv h264"), ("-c:v libx265 -x265-params log-level=none:bframes=2", "ts", "ts mkv"),
            ("-c:v mpeg2video -bf 2", "ts", "ts"), ("-c:v libvpx-vp9 -cpu-used 8", "webm", "webm"), ("-c:v mpeg4", "avi", "avi"),
            ("-c:v mjpeg", "avi", "avi"),
        ])
    func sizes(options: String, ending: String, containers: String) throws {
        try withTemporaryFolder { folder in
            for (name, size) in [("small", "192x128"), ("big", "320x240")] {
                try encode("\(name).\(ending)", size: size, options, in: folder)
            }
            let list = ["small", "big", "small"].map { "file \($0).\(ending)\n" }.joined()
            try write(Data(list.utf8), folder + "/list.txt")
            for container in containers.split(separator: " ") {
                try FFmpeg.run(["-f", "concat", "-i", "list.txt", "-c", "copy", "joined.\(container)"], in: folder)
                let sizes = try expectExactFrames(folder + "/joined.\(container)").entries.map(\.byteCount)
                #expect(Set(sizes).count == 2 && sizes.count > 80, "\(container): \(sizes)")
            }
        }
    }

    @Test("boxes are shares of a picture, whatever its size") func boxes() throws {
        try withTemporaryFolder { folder in
            try RampClip.write(folder + "/a.mp4")
            try FFmpeg.run(["-i", "a.mp4", "-c", "copy", "a.ts"], in: folder)
            try FFmpeg.run(["-i", "a.mp4", "-vf", "scale=96:64", "-c:v", "libx264", "-crf", "1", "b.ts"], in: folder)
            try write(Data("file a.ts\nfile b.ts\n".utf8), folder + "/list.txt")
            try FFmpeg.run(["-f", "concat", "-i", "list.txt", "-c", "copy", "c.ts"], in: folder)
            let record = try VideoRecord(inspecting: "c.ts", in: folder)
            #expect(record.frameCount == 8 && (record.width, record.height) == (RampClip.width, RampClip.height))
            let box = CropBox(x: 60, y: 20, width: 90, height: 80)
            var pictures = [[UInt8]](repeating: [UInt8](repeating: 0, count: 40 * 40 * 3), count: 2)
            let reader = try VideoReader(path: folder + "/c.ts", record: record)
            for (index, frame) in [2, 6].enumerated() {
                try pictures[index].withUnsafeMutableBytes { pixels in
                    try reader.read([PictureRequest(frame: frame, box: box, size: 40)]) { _ in pixels }
                }
            }
            for picture in pictures {
                let difference = RampClip.worst(picture, size: 40) { x, y in
                    (RampClip.red(60 + x * 90 - 0.5), RampClip.green(20 + y * 80 - 0.5))
                }
                #expect(difference < 3)
            }
        }
    }

    /// A group of pictures under a sequence parameter set of 12,016 pixels a side (ITU-T H.264, 7.3.2.1.1): more than is allowed, less than
    /// what libav itself refuses.
    @Test("growth beyond the limit is refused, and what came before stays") func growth() throws {
        try withTemporaryFolder { folder in
            try encode("a.h264", "-c:v libx264 -bf 0", in: folder)
            let expected = try FrameChecksums(sequential: folder + "/a.h264").entries.map(\.md5)
            var bits = "01100111" + "01000010" + "00000000" + "00110011"
            for number in [0, 0, 2, 1] { bits += exponentialGolomb(number) }
            bits += "0" + exponentialGolomb(750) + exponentialGolomb(750) + "1100" + "1"
            let set = stride(from: 0, to: bits.count, by: 8).map { start in
                let byte = bits.dropFirst(start).prefix(8)
                return UInt8(byte, radix: 2)! << UInt8(8 - byte.count)
            }
            let clip = units(try data(folder + "/a.h264"))
            // A group is a sequence parameter set, a picture parameter set and pictures.
            let next = try #require(clip.indices.dropFirst().first { clip[$0][0] & 31 == 7 })
            let grown = stream([Data(set)] + clip[1..<next])
            try write(stream(clip) + grown, folder + "/b.h264")
            #expect(try FrameChecksums(sequential: folder + "/b.h264").entries.map(\.md5) == expected)
            #expect(try FrameChecksums(random: folder + "/b.h264", seed: 1).entries.map(\.md5) == expected)
            try write(grown, folder + "/c.h264")
            let error = #expect(throws: MediaError.self) { try VideoRecord(inspecting: "c.h264", in: folder) }
            #expect(error?.reason == .tooBig, "\(String(describing: error))")
        }
    }

    private func exponentialGolomb(_ number: Int) -> String {
        let digits = String(number + 1, radix: 2)
        return String(repeating: "0", count: digits.count - 1) + digits
    }

    // MARK: Parameters

    /// Two parts that differ in nothing but the quantizer that a parameter set names. The set comes once, at the beginning of each part: who
    /// begins at a later key frame decodes without any error, and wrong.
    @Test("key frames that hang on parameters sent before them are not begun at", arguments: ["mp4", "mkv", "flv"])
    func parameters(container: String) throws {
        try withTemporaryFolder { folder in
            var parts: [Data] = []
            for quantizer in [10, 35] {
                try encode("a.h264", "-c:v libx264 -bf 0 -qp \(quantizer) -x264-params cabac=0:8x8dct=0", in: folder)
                var seen: Set<Data> = []
                for unit in units(try data(folder + "/a.h264")) where ![7, 8].contains(unit[0] & 31) || seen.insert(unit).inserted {
                    parts.append(unit)
                }
            }
            try write(stream(parts), folder + "/b.h264")
            try FFmpeg.run(["-framerate", "25", "-i", "b.h264", "-c", "copy", "b.mp4"], in: folder)
            if container != "mp4" { try FFmpeg.run(["-i", "b.mp4", "-c", "copy", "b." + container], in: folder) }
            #expect(try expectExactFrames(folder + "/b." + container).entries.count == 60)
            // Sets that come with every key frame keep nobody from beginning there.
            try FFmpeg.run(["-i", "b." + container, "-frames:v", "30", "-c", "copy", "c." + container], in: folder)
            #expect(try VideoRecord(inspecting: "c." + container, in: folder).keyFrames == [0, 10, 20])
        }
    }

    private func stream(_ units: [Data]) -> Data { units.reduce(Data()) { $0 + [0, 0, 0, 1] + $1 } }

    /// The units of a stream with start codes, without these (ITU-T H.264, B.1).
    private func units(_ stream: Data) -> [Data] {
        var units: [Data] = []
        var place = stream.startIndex
        while let code = stream.range(of: Data([0, 0, 1]), in: place..<stream.endIndex) {
            if place > stream.startIndex { units.append(Data(stream[place..<code.lowerBound])) }
            place = code.upperBound
        }
        units.append(Data(stream[place...]))
        return units.map { unit in Data(unit.prefix(unit.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0)) }
    }
}
