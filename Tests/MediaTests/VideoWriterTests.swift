import Foundation
import Media
import Sampling
import TestSupport
import Testing

@Suite struct VideoWriterTests {
    @Test("the same pictures give the same bytes, whatever was in memory before", arguments: [(160, 96), (340, 256), (256, 340)])
    func isDeterministic(width: Int, height: Int) throws {
        try withTemporaryFolder { folder in
            defer { fillNewMemory(with: 0) }
            let files = try ([0x00, 0xa5, 0x5a] as [Int32]).map { byte in
                fillNewMemory(with: byte)
                return try Data(contentsOf: URL(fileURLWithPath: writeTestClip(folder + "/\(byte).mp4", width: width, height: height)))
            }
            #expect(files[0] == files[1] && files[0] == files[2])
        }
    }

    @Test("what was written comes out again", arguments: [0, 2])
    func decodes(bFrames: Int) throws {
        try withTemporaryFolder { folder in
            try writeTestClip(folder + "/a.mp4", frames: 40, options: .init(groupOfPictures: 12, bFrames: bFrames, constantRateFactor: 12))
            let record = try VideoRecord(inspecting: "a.mp4", in: folder)
            #expect((record.width, record.height, record.frameCount) == (160, 96, 40))
            #expect(record.keyFrames.first == 0)
            #expect(zip(record.keyFrames, record.keyFrames.dropFirst() + [40]).allSatisfy { $1 - $0 <= 12 })
            #expect(abs(record.seconds(ofFrame: 39) - 39.0 / 30) < 1e-9)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.mp4"])
        }
    }

    @Test func unfinishedFileDoesNotAppear() throws {
        try withTemporaryFolder { folder in
            do {
                var writer = try VideoWriter(path: folder + "/a.mp4", width: 64, height: 64, framesPerSecond: Rational(30, 1))
                try testPicture(width: 64, height: 64, frame: 0).withUnsafeBytes { try writer.write(rgb: $0) }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func refusesOddSizesAndMissingFolders() {
        #expect(throws: MediaError.self) {
            _ = try VideoWriter(path: "/nowhere/a.mp4", width: 63, height: 64, framesPerSecond: Rational(30, 1))
        }
        #expect(throws: MediaError.self) {
            _ = try VideoWriter(path: "/nowhere/a.mp4", width: 64, height: 64, framesPerSecond: Rational(30, 1))
        }
    }
}

/// Makes glibc fill new memory with a byte's complement, so that whoever reads what he never wrote is found out; 0 ends it.
private func fillNewMemory(with byte: Int32) {
    // Swift's Glibc module leaves malloc.h out.
    typealias Mallopt = @convention(c) (_ parameter: Int32, _ value: Int32) -> Int32
    let perturbation: Int32 = -6
    _ = unsafeBitCast(dlsym(UnsafeMutableRawPointer(bitPattern: 0), "mallopt"), to: Mallopt.self)(perturbation, byte)
}
