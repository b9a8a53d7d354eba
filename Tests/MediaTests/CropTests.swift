import Foundation
import Media
import Sampling
import TestSupport
import Testing

@Suite struct CropTests {
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
            let pixels = try readCrop(folder + "/a.mp4", box, size: 48, isFlipped: isFlipped)
            // A pixel's value belongs to its centre.
            let difference = RampClip.worst(pixels, size: 48) { x, y in
                let column = Double(box.x) + (isFlipped ? 1 - x : x) * Double(box.width) - 0.5
                return (RampClip.red(column), RampClip.green(Double(box.y) + y * Double(box.height) - 0.5))
            }
            #expect(difference < 2.5)
        }
    }

    /// In 4:1:1 a sample of chroma stands for four pixels; of pictures as narrow as these swscale makes the crops.
    @Test(
        "chroma lies where its box lies where it stands for four pixels",
        .enabled(if: FFmpeg.path != nil, .init(rawValue: FFmpeg.absence)), arguments: [8, 9, 10, 11])
    func chroma(x: Int) throws {
        try withTemporaryFolder { folder in
            let ramp = "format=yuv411p,geq=lum=128:cb=48+12*X:cr=128"
            try FFmpeg.run(["-f", "lavfi", "-i", "color=s=48x48:d=0.2,\(ramp)", "-c:v", "rawvideo", "a.nut"], in: folder)
            let pixels = try readCrop(folder + "/a.nut", CropBox(x: x, y: 8, width: 24, height: 24), size: 24)
            for column in 4..<20 {
                // The middle of the first sample's pixels lies at 1.5. ITU-R BT.601, 3.5.1, limited range, for Cb alone.
                let chroma = 48 + 12 * (Double(x + column) - 1.5) / 4
                let blue = (128 - 16) * 255.0 / 219 + (chroma - 128) * 255 / 224 * 1.772
                #expect(abs(Double(pixels[(12 * 24 + column) * 3 + 2]) - blue) < 2.5, "column \(column) of a crop from \(x)")
            }
        }
    }

    @Test func severalCropsOfSeveralFramesInOnePass() throws {
        try withTemporaryFolder { folder in
            let path = try writeTestClip(folder + "/a.mp4", frames: 50, options: .init(groupOfPictures: 20))
            let record = try VideoRecord(inspecting: "a.mp4", in: folder)
            let requests = [41, 3, 3, 27, 49, 0].enumerated().map { i, frame in
                PictureRequest(frame: frame, box: CropBox(x: i * 5, y: i * 3, width: 80 + i, height: 60), isFlipped: i % 2 == 0, size: 32)
            }
            func read(_ requests: [PictureRequest], with reader: VideoReader) throws -> [UInt8] {
                let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: requests.count * 32 * 32 * 3, alignment: 64)
                defer { memory.deallocate() }
                try reader.read(requests) { UnsafeMutableRawBufferPointer(rebasing: memory[$0 * 3072..<$0 * 3072 + 3072]) }
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
                    try reader.read([PictureRequest(frame: frame, box: box, size: 32)]) { _ in memory }
                }
                #expect(error?.reason == .impossible)
            }
        }
    }

    /// Be its size by chance that of the one that was prepared.
    @Test func aFileThatChangedIsAnError() throws {
        try withTemporaryFolder { folder in
            let path = try writeTestClip(folder + "/a.mp4", frames: 30)
            var record = try VideoRecord(inspecting: "a.mp4", in: folder)
            try writeTestClip(path, frames: 10)
            record.bytes = try Data(contentsOf: URL(fileURLWithPath: path)).count
            let reader = try VideoReader(path: path, record: record)
            let error = #expect(throws: MediaError.self) { try reader.visit([20]) { _, _ in } }
            #expect(error?.reason == .undecodable)
        }
    }
}
