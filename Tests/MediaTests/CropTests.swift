import Foundation
import Media
import Sampling
import Testing

/// A clip whose red is a ramp along x and whose green is one along y: what a crop must show follows from where it lies.
private struct RampClip {
    static let (width, height) = (192, 128)

    /// Writes the clip, with a display matrix in its track header where one is given.
    static func write(_ path: String, matrix: [Int32]? = nil) throws {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width { pixels += [red(Double(x)), green(Double(y)), 128].map { UInt8($0) } }
        }
        var writer = try VideoWriter(
            path: path, width: width, height: height, framesPerSecond: Rational(25, 1), options: .init(constantRateFactor: 1))
        for _ in 0..<4 { try pixels.withUnsafeBytes { try writer.write(rgb: $0) } }
        try writer.finish()
        guard let matrix else { return }
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        // ISO 14496-12, 8.3.2: in version 0 the matrix follows 40 bytes of other fields.
        let header = data.range(of: Data("tkhd".utf8))!.upperBound + 40
        for (i, value) in matrix.enumerated() {
            withUnsafeBytes(of: value.bigEndian) { data.replaceSubrange(header + i * 4..<header + i * 4 + 4, with: $0) }
        }
        try data.write(to: URL(fileURLWithPath: path))
    }

    static func red(_ x: Double) -> Double { 30 + x }
    static func green(_ y: Double) -> Double { 40 + y * 1.25 }
}

@Suite struct CropTests {
    /// Reads one crop of a clip's second frame.
    private func crop(_ path: String, _ box: CropBox, size: Int, isFlipped: Bool = false) throws -> [UInt8] {
        let folder = (path as NSString).deletingLastPathComponent
        let record = try VideoRecord(inspecting: (path as NSString).lastPathComponent, in: folder)
        let reader = try VideoReader(path: path, record: record)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size * size * 3, alignment: 64)
        defer { memory.deallocate() }
        try reader.read([FrameRequest(frame: 1, box: box, isFlipped: isFlipped)], size: size) { _ in memory }
        return [UInt8](memory)
    }

    /// The largest difference between a crop and what `expected` says, over pixels that the border does not touch.
    private func worst(_ pixels: [UInt8], size: Int, expected: (_ x: Double, _ y: Double) -> (red: Double, green: Double)) -> Double {
        var worst = 0.0
        for y in 3..<size - 3 {
            for x in 3..<size - 3 {
                let colour = expected((Double(x) + 0.5) / Double(size), (Double(y) + 0.5) / Double(size))
                let p = (y * size + x) * 3
                worst = max(worst, abs(Double(pixels[p]) - colour.red), abs(Double(pixels[p + 1]) - colour.green))
            }
        }
        return worst
    }

    @Test(
        "a crop lies where its box lies, at even and odd places, shrinking and growing",
        arguments: [
            CropBox(x: 0, y: 0, width: 192, height: 128), CropBox(x: 40, y: 20, width: 64, height: 64),
            CropBox(x: 41, y: 20, width: 64, height: 64),
            CropBox(x: 40, y: 21, width: 64, height: 64), CropBox(x: 37, y: 19, width: 101, height: 77),
            CropBox(x: 100, y: 60, width: 24, height: 20),
            CropBox(x: 63, y: 1, width: 129, height: 127),
        ], [false, true])
    func lies(box: CropBox, isFlipped: Bool) throws {
        try withTemporaryFolder { folder in
            try RampClip.write(folder + "/a.mp4")
            let pixels = try crop(folder + "/a.mp4", box, size: 48, isFlipped: isFlipped)
            // A pixel's value belongs to its centre.
            let difference = worst(pixels, size: 48) { x, y in
                let column = Double(box.x) + (isFlipped ? 1 - x : x) * Double(box.width) - 0.5
                return (RampClip.red(column), RampClip.green(Double(box.y) + y * Double(box.height) - 0.5))
            }
            #expect(difference < 2.5)
        }
    }

    /// The eight ways to lay a picture: a display matrix [a, b, c, d] that maps stored (p, q) to shown (a p + c q, b p + d q).
    @Test(
        "display matrices are obeyed",
        arguments: [
            [1, 0, 0, 1], [0, 1, -1, 0], [-1, 0, 0, -1], [0, -1, 1, 0], [-1, 0, 0, 1], [1, 0, 0, -1], [0, 1, 1, 0], [0, -1, -1, 0],
        ] as [[Int]])
    func turns(matrix: [Int]) throws {
        try withTemporaryFolder { folder in
            let (a, b, c, d) = (matrix[0], matrix[1], matrix[2], matrix[3])
            let one = 1 << 16
            try RampClip.write(folder + "/a.mp4", matrix: [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30].map { Int32($0) })
            let shown = a == 0 ? (width: RampClip.height, height: RampClip.width) : (width: RampClip.width, height: RampClip.height)
            let box = CropBox(x: 11, y: 7, width: 90, height: 70)
            let pixels = try crop(folder + "/a.mp4", box, size: 40)
            let difference = worst(pixels, size: 40) { x, y in
                // Measured from the middle of both pictures the matrix is orthogonal: its transpose leads back.
                let right = Double(box.x) + x * Double(box.width) - Double(shown.width) / 2
                let down = Double(box.y) + y * Double(box.height) - Double(shown.height) / 2
                let p = Double(a) * right + Double(b) * down + Double(RampClip.width) / 2
                let q = Double(c) * right + Double(d) * down + Double(RampClip.height) / 2
                return (RampClip.red(p - 0.5), RampClip.green(q - 0.5))
            }
            #expect(difference < 2.5)
        }
    }

    @Test func severalCropsOfSeveralFramesInOnePass() throws {
        try withTemporaryFolder { folder in
            let path = try writeTestClip(folder + "/a.mp4", frames: 50, options: .init(groupOfPictures: 20))
            let record = try VideoRecord(inspecting: "a.mp4", in: folder)
            let requests = [41, 3, 3, 27, 49, 0].enumerated().map { i, frame in
                FrameRequest(frame: frame, box: CropBox(x: i * 5, y: i * 3, width: 80 + i, height: 60), isFlipped: i % 2 == 0)
            }
            func read(_ requests: [FrameRequest], with reader: VideoReader) throws -> [UInt8] {
                let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: requests.count * 32 * 32 * 3, alignment: 64)
                defer { memory.deallocate() }
                try reader.read(requests, size: 32) { UnsafeMutableRawBufferPointer(rebasing: memory[$0 * 3072..<$0 * 3072 + 3072]) }
                return [UInt8](memory)
            }
            let together = try read(requests, with: VideoReader(path: path, record: record))
            let reader = try VideoReader(path: path, record: record)
            let oneByOne = try requests.flatMap { try read([$0], with: reader) }
            #expect(together == oneByOne)
        }
    }

    @Test func impossibleRequestsAreErrors() throws {
        try withTemporaryFolder { folder in
            let path = try writeTestClip(folder + "/a.mp4", frames: 5)
            let reader = try VideoReader(path: path, record: VideoRecord(inspecting: "a.mp4", in: folder))
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 3072, alignment: 64)
            defer { memory.deallocate() }
            for (frame, box) in [
                (5, CropBox(x: 0, y: 0, width: 9, height: 9)), (0, CropBox(x: 152, y: 0, width: 9, height: 9)),
                (0, CropBox(x: 0, y: 0, width: 0, height: 9)),
            ] {
                let error = #expect(throws: MediaError.self) {
                    try reader.read([FrameRequest(frame: frame, box: box, isFlipped: false)], size: 32) { _ in memory }
                }
                #expect(error?.reason == .impossible)
            }
        }
    }

    @Test func aFileThatChangedIsAnError() throws {
        try withTemporaryFolder { folder in
            let path = try writeTestClip(folder + "/a.mp4", frames: 30)
            let record = try VideoRecord(inspecting: "a.mp4", in: folder)
            try writeTestClip(path, frames: 10)
            let reader = try VideoReader(path: path, record: record)
            let error = #expect(throws: MediaError.self) { try reader.visit([20]) { _, _ in } }
            #expect(error?.reason == .undecodable)
        }
    }
}
