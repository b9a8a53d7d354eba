import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// Servers that are never silent, and never through.
@Suite struct DrippingServerTests {
    /// Reads two frames of a clip from a server that treats the connections of one after another in these ways, the last way for good.
    private func read(_ ways: [FileServer.Way], timeout: Double) throws -> (pictures: [UInt8], expected: [UInt8]) {
        try withTemporaryFolder { folder in
            try writeTestClip(folder + "/a.mp4", frames: 40)
            let record = try VideoRecord(inspecting: "a.mp4", in: folder)
            let server = try FileServer(try Data(contentsOf: URL(fileURLWithPath: folder + "/a.mp4")), ways: ways)
            func pictures(_ media: String, _ server: MediaServer?) throws -> [UInt8] {
                var pixels = [UInt8](repeating: 0, count: 2 * 32 * 32 * 3)
                let box = CropBox(x: 8, y: 8, width: 80, height: 60)
                let requests = [5, 33].map { PictureRequest(frame: $0, box: box, size: 32) }
                try pixels.withUnsafeMutableBytes { pixels in
                    try PictureReader(media: MediaRoot(media), server: server).read(requests, of: record) { index in
                        UnsafeMutableRawBufferPointer(rebasing: pixels[index * 32 * 32 * 3..<(index + 1) * 32 * 32 * 3])
                    }
                }
                return pixels
            }
            let waiting = MediaServer(timeout: timeout, isStopped: { false }, log: { _ in })
            return (try pictures("http://127.0.0.1:\(server.port)", waiting), try pictures(folder, nil))
        }
    }

    @Test(
        "one that goes on dripping is away, which says nothing about the video", .timeLimit(.minutes(30)),
        arguments: FileServer.Way.drips)
    func drips(way: FileServer.Way) throws {
        let error = #expect(throws: MediaError.self) { try read([way], timeout: 2) }
        #expect(error?.reason == .serverAway && error?.detail.contains("nothing came for 2 s") == true, "\(String(describing: error))")
    }

    @Test("one that drips now and then is asked again", .timeLimit(.minutes(30)), arguments: FileServer.Way.drips)
    func recovers(way: FileServer.Way) throws {
        let (pictures, expected) = try read([way, way, .serve], timeout: 12)
        #expect(pictures == expected)
    }

    /// Asked to stop, a decoder does not wait for the next byte.
    @Test(.timeLimit(.minutes(30)), arguments: FileServer.Way.drips) func waitingEndsWhenAsked(way: FileServer.Way) throws {
        let file = try FileServer(Data(repeating: 0, count: 100_000), ways: [way])
        let begin = Date()
        let server = MediaServer(timeout: 0, isStopped: { Date().timeIntervalSince(begin) > 0.2 }, log: { _ in })
        let record = VideoRecord(
            path: "a.mp4", bytes: 100_000, width: 8, height: 8, timeBase: Rational(1, 25), timestamps: Timestamps([0, 1]), keyFrames: [0],
            contentHash: String(repeating: "0", count: 32))
        let reader = PictureReader(media: MediaRoot("http://127.0.0.1:\(file.port)"), server: server)
        let error = #expect(throws: MediaError.self) { try reader.read([], of: record) { _ in preconditionFailure() } }
        #expect(error?.reason == .serverAway && error?.detail.contains("asked to stop") == true, "\(String(describing: error))")
    }
}
