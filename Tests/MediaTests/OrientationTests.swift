import Foundation
import Media
import Sampling
import TestSupport
import Testing

@Suite struct OrientationTests {
    /// The eight ways to lay a picture: a display matrix [a, b, c, d] that maps stored (p, q) to shown (a p + c q, b p + d q).
    static let matrices = [
        [1, 0, 0, 1], [0, 1, -1, 0], [-1, 0, 0, -1], [0, -1, 1, 0], [-1, 0, 0, 1], [1, 0, 0, -1], [0, 1, 1, 0], [0, -1, -1, 0],
    ]

    /// Too narrow a picture for the planar kernel, 30 pixels, goes through swscale.
    @Test("display matrices are obeyed, and pixels made square", arguments: matrices, [(192, 1, 1), (30, 1, 1), (192, 4, 3), (30, 3, 1)])
    func turns(matrix: [Int], shape: (width: Int, across: Int, down: Int)) throws {
        try withTemporaryFolder { folder in
            try RampClip.write(
                folder + "/a.mp4", width: shape.width, matrix: Self.displayMatrix(matrix), aspect: (Int32(shape.across), Int32(shape.down)))
            // swscale begins at whole pixels of the stored picture: half a pixel of a ramp by 1.25 levels.
            #expect(try difference(folder + "/a.mp4", matrix, shape) < (shape.width == 30 ? 3.2 : 2.5))
        }
    }

    /// A message of H.264 (ITU-T H.264, D.2.27): flips first, then a turn against the clock. It comes with the first picture, and counts for
    /// all.
    @Test(
        "a turn that only the coded stream asks for is obeyed", .enabled(if: FFmpeg.path != nil, .init(rawValue: FFmpeg.absence)),
        arguments: [0, 90, 180, 270], [nil, "horizontal", "vertical"])
    func messages(turn: Int, flip: String?) throws {
        let (cosine, sine) = ([1, 0, -1, 0][turn / 90], [0, 1, 0, -1][turn / 90])
        let (across, down) = (flip?.contains("horizontal") == true ? -1 : 1, flip?.contains("vertical") == true ? -1 : 1)
        let matrix = [cosine * across, -sine * across, sine * down, cosine * down]
        try withTemporaryFolder { folder in
            try RampClip.write(folder + "/plain.mp4")
            try writeMessage("rotate=\(turn)" + (flip.map { ":flip=\($0)" } ?? ""), of: "plain.mp4", to: "a.mp4", in: folder)
            for name in ["a.mkv", "a.ts"] { try FFmpeg.run(["-i", "a.mp4", "-c", "copy", name], in: folder) }
            for name in ["a.mp4", "a.mkv", "a.ts"] { #expect(try difference(folder + "/" + name, matrix) < 2.5, "\(name)") }
        }
    }

    @Test("the container's word counts before the stream's", .enabled(if: FFmpeg.path != nil, .init(rawValue: FFmpeg.absence)))
    func containerFirst() throws {
        try withTemporaryFolder { folder in
            try RampClip.write(folder + "/a.mp4", matrix: Self.displayMatrix([-1, 0, 0, -1]))
            try writeMessage("rotate=90", of: "a.mp4", to: "b.mp4", in: folder)
            #expect(try difference(folder + "/b.mp4", [-1, 0, 0, -1]) < 2.5)
        }
    }

    @Test("what is encoded anew keeps the stream's turn", .enabled(if: FFmpeg.path != nil, .init(rawValue: FFmpeg.absence)))
    func transcoded() throws {
        try withTemporaryFolder { folder in
            try RampClip.write(folder + "/plain.mp4")
            try FileManager.default.createDirectory(atPath: folder + "/videos", withIntermediateDirectories: true)
            try writeMessage("rotate=90:flip=vertical", of: "plain.mp4", to: "videos/a.mp4", in: folder)
            _ = try Preparation(folder: folder + "/videos", output: folder + "/small", transcoding: Transcoding(), jobs: 1).run()
            #expect(try difference(folder + "/small/a.mp4", [0, -1, -1, 0]) < 8)
        }
    }

    @Test("whole pictures stand upright, of the record's size", arguments: matrices, [(192, 1, 1), (192, 4, 3)])
    func wholePictures(matrix: [Int], shape: (width: Int, across: Int, down: Int)) throws {
        try withTemporaryFolder { folder in
            try RampClip.write(folder + "/a.mp4", matrix: Self.displayMatrix(matrix), aspect: (Int32(shape.across), Int32(shape.down)))
            let record = try VideoRecord(inspecting: folder + "/a.mp4", in: "")
            let pictures = try VideoReader(path: folder + "/a.mp4", record: record).pictures([0, 3])
            #expect(pictures.count == 2)
            for picture in pictures {
                #expect((picture.width, picture.height) == (record.width, record.height))
                for (x, y) in [(20, 15), (100, 60), (record.width - 20, 30), (40, record.height - 15)] {
                    let stored = Self.stored(x: Double(x) + 0.5, y: Double(y) + 0.5, record, matrix, shape)
                    #expect(abs(Double(picture[x, y].red) - RampClip.red(stored.x - 0.5)) < 2.5)
                    #expect(abs(Double(picture[x, y].green) - RampClip.green(stored.y - 0.5)) < 2.5)
                }
            }
        }
    }

    private func writeMessage(_ message: String, of clip: String, to name: String, in folder: String) throws {
        try FFmpeg.run(
            ["-i", clip, "-c", "copy", "-bsf:v", "h264_metadata=display_orientation=insert:" + message, name], in: folder)
    }

    private static func displayMatrix(_ matrix: [Int]) -> [Int32] {
        let one = 1 << 16
        return [matrix[0] * one, matrix[1] * one, 0, matrix[2] * one, matrix[3] * one, 0, 0, 0, 1 << 30].map { Int32($0) }
    }

    /// How far, in levels, a crop of a ramp clip's second frame is from what a display matrix asks for.
    private func difference(
        _ path: String, _ matrix: [Int], _ shape: (width: Int, across: Int, down: Int) = (RampClip.width, 1, 1)
    ) throws -> Double {
        let record = try VideoRecord(inspecting: path, in: "")
        let (width, height) = (shape.width * shape.across / shape.down, RampClip.height)
        #expect((record.width, record.height) == (matrix[0] == 0 ? (height, width) : (width, height)))
        let box = CropBox(x: 6, y: 4, width: record.width - 16, height: record.height - 20)
        let pixels = try readCrop(path, box, size: 40)
        return RampClip.worst(pixels, size: 40) { x, y in
            let stored = Self.stored(
                x: Double(box.x) + x * Double(box.width), y: Double(box.y) + y * Double(box.height), record, matrix, shape)
            return (RampClip.red(stored.x - 0.5), RampClip.green(stored.y - 0.5))
        }
    }

    /// The place in the stored picture that shows at a place of the upright one.
    private static func stored(
        x: Double, y: Double, _ record: VideoRecord, _ matrix: [Int], _ shape: (width: Int, across: Int, down: Int)
    ) -> (x: Double, y: Double) {
        // Measured from the middle of both pictures the matrix is orthogonal: its transpose leads back.
        let (right, down) = (x - Double(record.width) / 2, y - Double(record.height) / 2)
        let p = (Double(matrix[0]) * right + Double(matrix[1]) * down) * Double(shape.down) / Double(shape.across)
        let q = Double(matrix[2]) * right + Double(matrix[3]) * down
        return (p + Double(shape.width) / 2, q + Double(RampClip.height) / 2)
    }
}
