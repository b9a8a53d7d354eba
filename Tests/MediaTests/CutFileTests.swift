import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// Files that are cut off, in containers that are written in one go.
@Suite(.serialized, .enabled(if: FFmpeg.path != nil, .init(rawValue: FFmpeg.absence))) struct CutFileTests {
    private static let clips = [
        ("a.flv", "-c:v libx264"), ("b.flv", "-c:v libx264 -flvflags no_duration_filesize"), ("c.flv", "-c:v flv1"),
        ("a.ts", "-c:v libx264"), ("b.ts", "-c:v mpeg2video"), ("c.m2ts", "-c:v libx264 -mpegts_m2ts_mode 1"),
    ]

    /// Writes a clip of 100 frames, with sound, and has the body count the frames of each file that it makes of the clip's bytes.
    private func withClip(_ name: String, _ options: String, _ body: (Data, (Data) throws -> Int) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let inputs = "-f lavfi -i testsrc2=s=192x128:r=25 -f lavfi -i sine -t 4 "
            try FFmpeg.run((inputs + options + " " + name).split(separator: " ").map(String.init), in: folder)
            try body(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))) { data in
                try data.write(to: URL(fileURLWithPath: folder + "/cut-" + name))
                return try VideoRecord(inspecting: "cut-" + name, in: folder).frameCount
            }
        }
    }

    @Test("a file that ends within a part of itself is truncated, a whole one is not", arguments: clips)
    func cut(name: String, options: String) throws {
        try withClip(name, options) { whole, frameCount in
            let frames = try frameCount(whole)
            #expect((99...101).contains(frames))
            for share in [30, 45, 70] {
                let error = #expect(throws: MediaError.self) { try frameCount(whole.prefix(whole.count * share / 100 / 188 * 188 + 100)) }
                #expect(error?.reason == .truncated, "\(share) %: \(String(describing: error))")
            }
        }
    }

    @Test("a recording that was ended between two parts is whole", arguments: ["a.ts", "c.m2ts"])
    func ended(name: String) throws {
        try withClip(name, Self.clips.first { $0.0 == name }!.1) { whole, frameCount in
            let length = name == "a.ts" ? 188 : 192
            let frames = try frameCount(whole.prefix(whole.count / 2 / length * length))
            #expect((20..<90).contains(frames))
        }
    }

    @Test("of an FLV that says how long it is, a twentieth may be missing") func tail() throws {
        try withClip("a.flv", "-c:v libx264") { whole, frameCount in
            #expect(try frameCount(whole.dropLast(200)) > 90)
            // Without the number of bytes that of seconds tells.
            let renamed = try #require(whole.range(of: Data("filesize".utf8)))
            var other = whole
            other.replaceSubrange(renamed, with: Data("fileSize".utf8))
            #expect(try frameCount(other.dropLast(200)) > 90)
            let error = #expect(throws: MediaError.self) { try frameCount(other.prefix(other.count * 6 / 10)) }
            #expect(error?.reason == .truncated && error?.detail.contains("promises") == true, "\(String(describing: error))")
        }
    }
}
