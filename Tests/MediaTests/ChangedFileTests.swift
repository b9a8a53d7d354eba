import Base
import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// A video is the one that was prepared: what a decoder makes of a file that has become another one.
@Suite struct ChangedFileTests {
    /// Where a prepared clip of 24 frames, `a.mp4`, lies.
    private func withClip(_ body: (_ folder: String, _ record: VideoRecord) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try writeTestClip(folder + "/a.mp4", frames: 24)
            try body(folder, try VideoRecord(inspecting: "a.mp4", in: folder))
        }
    }

    private static let requests = [3, 20].map {
        PictureRequest(frame: $0, box: CropBox(x: 0, y: 0, width: 96, height: 96), size: 32)
    }

    /// - Parameter meanwhile: called before a picture is written.
    private func read(
        _ record: VideoRecord, with reader: PictureReader, meanwhile: () throws -> Void = {}
    ) throws -> [UInt8] {
        var pixels = [UInt8](repeating: 0, count: Self.requests.count * 32 * 32 * 3)
        var failure: (any Error)?
        try pixels.withUnsafeMutableBytes { pixels in
            try reader.read(Self.requests, of: record) { index in
                do { try meanwhile() } catch { failure = error }
                return UnsafeMutableRawBufferPointer(rebasing: pixels[index * 32 * 32 * 3..<(index + 1) * 32 * 32 * 3])
            }
        }
        if let failure { throw failure }
        return pixels
    }

    private func failure(_ record: VideoRecord, _ reader: PictureReader) -> MediaError? {
        do {
            _ = try read(record, with: reader)
            return nil
        } catch { return error as? MediaError }
    }

    private func size(_ path: String) throws -> Int { try Data(contentsOf: URL(fileURLWithPath: path)).count }

    @Test("a file of another number of bytes", arguments: ["other pictures", "other rate", "twice the frames", "cut off", "longer"])
    func otherSize(change: String) throws {
        try withClip { folder, record in
            let path = folder + "/a.mp4"
            switch change {
            case "other pictures": try writeTestClip(path, frames: 24, options: .init(constantRateFactor: 35))
            case "other rate":
                try writeTestClip(path, frames: 24, framesPerSecond: Rational(24000, 1001), options: .init(constantRateFactor: 20))
            case "twice the frames": try writeTestClip(path, frames: 48)
            case "cut off": truncate(path, off_t(record.bytes - 1))
            default: try #require(FileHandle(forWritingAtPath: path)?.seekToEnd() != nil && truncate(path, off_t(record.bytes + 1)) == 0)
            }
            let bytes = try size(path)
            try #require(bytes != record.bytes)
            let reader = PictureReader(media: MediaRoot(folder))
            let error = try #require(failure(record, reader))
            #expect(
                "\(error)" == "\(path): changed: a.mp4 has \(bytes) bytes, \(record.bytes) when it was prepared; prepare again")
            #expect(error.kind == "changed")
            // Whoever opens a video of a manifest, and not decoders alone.
            let other = #expect(throws: MediaError.self) { try VideoReader(path: path, record: record) }
            #expect(other == error)
            // Between two tickets it may become itself again.
            try writeTestClip(path, frames: 24)
            #expect(failure(record, reader) == nil)
        }
    }

    @Test func aFileThatIsNoFileAnyMore() throws {
        try withClip { folder, record in
            let reader = PictureReader(media: MediaRoot(folder))
            #expect(failure(record, reader) == nil)
            try Data().write(to: URL(fileURLWithPath: folder + "/a.mp4"))
            #expect(failure(record, reader)?.reason == .cannotOpen)
            try FileManager.default.removeItem(atPath: folder + "/a.mp4")
            #expect(failure(record, reader)?.reason == .missing)
            try FileManager.default.createDirectory(atPath: folder + "/a.mp4", withIntermediateDirectories: false)
            #expect(failure(record, reader)?.reason == .cannotOpen)
        }
    }

    /// Two clips of one size in bytes, by padding.
    private func writeTwin(_ path: String, of record: VideoRecord) throws {
        try writeTestClip(path, frames: 24, options: .init(constantRateFactor: 40))
        let padding = record.bytes - (try size(path))
        try #require(padding >= 8)
        // A box that says nothing (ISO/IEC 14496-12, 8.1.2).
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        let box = [UInt8](repeating: 0, count: padding)
        let head = (0..<4).map { UInt8(truncatingIfNeeded: padding >> (24 - 8 * $0)) } + Array("free".utf8)
        try file.write(contentsOf: head + box.dropFirst(8))
        try file.close()
    }

    @Test func theHashTellsFilesOfOneSizeApart() throws {
        try withClip { folder, record in
            let path = folder + "/a.mp4"
            let (plain, careful) = (
                PictureReader(media: MediaRoot(folder)), PictureReader(media: MediaRoot(folder), verifiesContent: true)
            )
            let expected = try read(record, with: plain)
            #expect(try read(record, with: careful) == expected, "samples do not depend on it")
            try writeTwin(path, of: record)
            #expect(try read(record, with: plain) != expected, "what the size does not tell")
            let error = try #require(failure(record, careful))
            #expect(error.reason == .changed)
            let sums = [try PixelHash.hexadecimal(ofFile: path, .md5), record.contentHash]
            #expect(error.detail == "a.mp4 has the MD5 sum \(sums[0]), \(sums[1]) when it was prepared; prepare again")
            try writeTestClip(path, frames: 24)
            #expect(try read(record, with: careful) == expected)
        }
    }

    @Test("a file that is written to while it is open is read again as it is then", arguments: ["same", "twin", "cut", "gone"])
    func whileItIsOpen(change: String) throws {
        try withClip { folder, record in
            let path = folder + "/a.mp4"
            let content = try Data(contentsOf: URL(fileURLWithPath: path))
            let reader = PictureReader(media: MediaRoot(folder), verifiesContent: true)
            let expected = try read(record, with: reader)
            var isDone = false
            func disturb() throws {
                guard !isDone else { return }
                isDone = true
                // Of the second before, for clocks of files are coarse.
                var times = [timespec(tv_sec: 1_000_000_000, tv_nsec: 0), timespec(tv_sec: 1_000_000_000, tv_nsec: 0)]
                switch change {
                case "same":
                    try content.write(to: URL(fileURLWithPath: path), options: .atomic)
                    utimensat(AT_FDCWD, path, &times, 0)
                case "twin": try writeTwin(path, of: record)
                case "cut": truncate(path, off_t(record.bytes / 2))
                default: unlink(path)
                }
            }
            if change == "same" {
                #expect(try read(record, with: reader, meanwhile: disturb) == expected)
            } else {
                let error = #expect(throws: MediaError.self) { try read(record, with: reader, meanwhile: disturb) }
                #expect(error?.reason == (change == "gone" ? .missing : .changed), "\(String(describing: error))")
            }
            #expect(isDone)
        }
    }

    @Test func aFileThatIsWrittenToWithoutEndIsGivenUp() throws {
        try withClip { folder, record in
            var second = 0
            let error = #expect(throws: MediaError.self) {
                try read(record, with: PictureReader(media: MediaRoot(folder))) {
                    second += 1
                    var times = [timespec(tv_sec: second, tv_nsec: 0), timespec(tv_sec: second, tv_nsec: 0)]
                    utimensat(AT_FDCWD, folder + "/a.mp4", &times, 0)
                }
            }
            #expect(error?.reason == .changed && error?.detail.hasPrefix("somebody writes to it") == true, "\(String(describing: error))")
        }
    }

    // MARK: Servers

    private let server = MediaServer(timeout: 20, isStopped: { false }, log: { _ in })

    @Test(.timeLimit(.minutes(30))) func aServersFileOfAnotherSizeOrContent() throws {
        try withClip { folder, record in
            let path = folder + "/a.mp4"
            func failure(verifiesContent: Bool) throws -> MediaError? {
                let file = try FileServer(try Data(contentsOf: URL(fileURLWithPath: path)), ways: [.serve])
                return withExtendedLifetime(file) {
                    let media = MediaRoot("http://127.0.0.1:\(file.port)")
                    return self.failure(record, PictureReader(media: media, server: self.server, verifiesContent: verifiesContent))
                }
            }
            #expect(try failure(verifiesContent: false) == nil)
            #expect(try failure(verifiesContent: true) == nil)
            try writeTwin(path, of: record)
            #expect(try failure(verifiesContent: false) == nil)
            let error = try #require(try failure(verifiesContent: true))
            #expect(error.reason == .changed && error.detail.contains("has the MD5 sum"), "\(error)")
            try writeTestClip(path, frames: 48)
            let bytes = try size(path)
            let other = try #require(try failure(verifiesContent: false))
            #expect(other.reason == .changed)
            #expect(other.detail == "a.mp4 has \(bytes) bytes, \(record.bytes) when it was prepared; prepare again")
        }
    }

    /// The server has the file that was prepared when it is opened, and another one when its frames are asked for.
    @Test(.timeLimit(.minutes(30))) func aServersFileThatChangesWhileItIsOpen() throws {
        try withTemporaryFolder { folder in
            // Far more than is read at a time, so that the server is asked again.
            try writeTestClip(folder + "/a.mp4", width: 320, height: 240, options: .init(groupOfPictures: 5, constantRateFactor: 1))
            let record = try VideoRecord(inspecting: "a.mp4", in: folder)
            try #require(record.bytes > 500_000)
            let content = try Data(contentsOf: URL(fileURLWithPath: folder + "/a.mp4"))
            let server = try FileServer(content, ways: [.serve])
            try withExtendedLifetime(server) {
                let media = MediaRoot("http://127.0.0.1:\(server.port)")
                let reader = try VideoReader(
                    media.location(of: record, server: self.server), record: record)
                try reader.visit([0]) { _, _ in }
                server.file.withLock { $0 = content + Data(repeating: 0, count: 100) }
                let error = #expect(throws: MediaError.self) { try reader.visit([55]) { _, _ in } }
                #expect(error?.reason == .changed, "\(String(describing: error))")
            }
        }
    }
}
