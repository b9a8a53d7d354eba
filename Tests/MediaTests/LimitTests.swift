import Foundation
import Media
import Pictures
import Sampling
import TestSupport
import Testing

/// Files that claim too much, name others, or never end.
@Suite struct LimitTests {
    // MARK: Sizes

    @Test func aVideoThatClaims32768PixelsASideIsRefused() throws {
        try withTemporaryFolder { folder in
            var clip = try bytes(of: writeTestClip(folder + "/clip.mp4"))
            // Width and height stand 28 bytes after the name of H.264's sample entry (ISO/IEC 14496-12, 12.1.3).
            let entry = try #require(clip.firstRange(of: Array("avc1".utf8)[...], from: clip.firstIndex(of: "stsd")))
            clip.replace(at: entry + 28, with: [0x80, 0x00, 0x80, 0x00])
            try write(clip, folder + "/big.mp4")
            #expect(reason { try VideoRecord(inspecting: "big.mp4", in: folder) } == .tooBig)
        }
    }

    @Test func picturesThatClaim32768PixelsASideAreRefused() throws {
        try withTemporaryFolder { folder in
            let image = RGBImage(width: 64, height: 48, pixels: testPicture(width: 64, height: 48, frame: 0))
            try writePNG(image, to: folder + "/big.png")
            var png = try bytes(of: folder + "/big.png")
            png.replace(at: 16, with: [0, 0, 0x80, 0, 0, 0, 0x80, 0])
            try write(png, folder + "/big.png")

            try writeJPEG(image, to: folder + "/big.jpg")
            var jpeg = try bytes(of: folder + "/big.jpg")
            let header = try #require(jpeg.firstRange(of: [0xFF, 0xC0], from: 0))
            jpeg.replace(at: header + 5, with: [0x80, 0, 0x80, 0])
            try write(jpeg, folder + "/big.jpg")

            for name in ["big.png", "big.jpg"] {
                #expect(reason { try readImage(folder + "/" + name) } == .tooBig, "\(name)")
            }
        }
    }

    // MARK: Other files

    /// Playlists and scripts that name a good clip, under a video's name.
    @Test(arguments: [
        "ffconcat version 1.0\nfile clip.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nclip.mp4\n#EXT-X-ENDLIST\n",
        "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" mediaPresentationDuration=\"PT2S\"><Period>"
            + "<AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1\"><BaseURL>clip.mp4</BaseURL></Representation>"
            + "</AdaptationSet></Period></MPD>",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "[playlist]\nFile1=http://127.0.0.1/clip.mp4\nNumberOfEntries=1\n",
    ])
    func aFileThatNamesOthersIsNoVideo(text: String) throws {
        try withTemporaryFolder { folder in
            try writeTestClip(folder + "/clip.mp4")
            try write(Array(text.utf8), folder + "/list.mp4")
            #expect(reason { try VideoRecord(inspecting: "list.mp4", in: folder) } == .cannotOpen)
        }
    }

    /// A name is a name: neither a pattern of pictures nor a protocol.
    @Test func namesMeanNothing() throws {
        try withTemporaryFolder { folder in
            let clip = try writeTestClip(folder + "/clip.mp4")
            for name in ["clip-%03d.mp4", "concat:clip.mp4", "http:__127.0.0.1_clip.mp4", "clip*?[a].mp4"] {
                try FileManager.default.copyItem(atPath: clip, toPath: folder + "/" + name)
                #expect(try VideoRecord(inspecting: name, in: folder).frameCount == 60)
            }
            #expect(reason { try VideoRecord(inspecting: "concat:clip.mp4|clip.mp4", in: folder) } == .missing)
        }
    }

    /// Opening a pipe that nobody writes to would wait for ever.
    @Test(.timeLimit(.minutes(30))) func aPipeIsNoVideoAndNoPicture() throws {
        try withTemporaryFolder { folder in
            try #require(mkfifo(folder + "/pipe.mp4", 0o600) == 0)
            try writeTestClip(folder + "/clip.mp4")
            let record = try VideoRecord(inspecting: "clip.mp4", in: folder)
            #expect(reason { try VideoRecord(inspecting: "pipe.mp4", in: folder) } == .cannotOpen)
            #expect(reason { try VideoReader(path: folder + "/pipe.mp4", record: record) } == .cannotOpen)
            #expect(reason { try readImage(folder + "/pipe.mp4") } == .cannotOpen)
        }
    }

    @Test func aURLIsMadeOfARootAndAPath() {
        #expect(MediaRoot("http://host:8080/root//").location(of: "a b/50%#ü?.mp4") == "http://host:8080/root/a%20b/50%25%23%C3%BC%3F.mp4")
        #expect(MediaRoot("videos").location(of: "a b/50%.mp4") == "videos/a b/50%.mp4")
        #expect(MediaRoot("HTTPS://host").isServer && !MediaRoot("http:/host").isServer && !MediaRoot("ftp://host").isServer)
    }

    // MARK: Time

    /// A busy machine or a slow server takes time of the clock on the wall, which says nothing about a file.
    @Test func waitingIsNoWorkOnAFile() throws {
        try withTemporaryFolder { folder in
            let path = try writeTestClip(folder + "/a.mp4", frames: 20)
            let record = try VideoRecord(inspecting: "a.mp4", in: folder)
            let reader = try VideoReader(path: path, record: record, timeout: 0.5)
            var seen = 0
            try reader.visit([0, 19]) { _, _ in
                seen += 1
                usleep(700_000)
            }
            #expect(seen == 2)
        }
    }

    @Test func whatAVisitorDoesWithTheFramesIsNotTheFilesTime() throws {
        try withTemporaryFolder { folder in
            try writeTestClip(folder + "/clip.mp4", width: 32, height: 32, frames: 4)
            let record = try VideoRecord(inspecting: "clip.mp4", in: folder, timeout: 1) { _, _ in
                let begin = threadSeconds()
                while threadSeconds() - begin < 1.1 {}
            }
            #expect(record.frameCount == 4)
        }
    }

    /// Processor time of this thread.
    private func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    @Test func timeIsUpForAReaderWithoutPatience() throws {
        try withTemporaryFolder { folder in
            try writeTestClip(folder + "/clip.mp4")
            let record = try VideoRecord(inspecting: "clip.mp4", in: folder)
            #expect(reason { try VideoReader(path: folder + "/clip.mp4", record: record, timeout: 0) } == .timedOut)
        }
    }

    /// Fifty thousand samples that lie at one place, a key frame of 720p: minutes of good frames in a file of 200 KB.
    @Test(.timeLimit(.minutes(30))) func aSmallFileWithFramesForDaysIsGivenUp() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/clip.mp4"
            var writer = try VideoWriter(path: path, width: 1280, height: 720, framesPerSecond: Rational(30, 1))
            for _ in 0..<2 { try [UInt8](repeating: 90, count: 1280 * 720 * 3).withUnsafeBytes { try writer.write(rgb: $0) } }
            try writer.finish()
            try write(bomb(from: try bytes(of: path), samples: 50_000), folder + "/bomb.mp4")
            let begin = clock()
            #expect(reason { try VideoRecord(inspecting: "bomb.mp4", in: folder, timeout: 1) } == .timedOut)
            #expect(Double(clock() - begin) / Double(CLOCKS_PER_SEC) < 60)
        }
    }

    /// Rewrites an MP4's sample table so that its first sample comes so many times, from one place.
    private func bomb(from clip: [UInt8], samples: Int) throws -> [UInt8] {
        var clip = clip
        func field(_ name: String, _ offset: Int) throws -> Int {
            let place = try #require(clip.firstIndex(of: name)) + offset
            return clip[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        let (offset, size) = (try field("stco", 12), try field("stsz", 16))
        let tables: [(String, [Int])] = [
            ("stts", [0, 1, samples, 512]), ("stsc", [0, 1, 1, 1, 1]), ("stsz", [0, size, samples]),
            ("stco", [0, samples] + [Int](repeating: offset, count: samples)),
        ]
        for place in ["edts", "stss", "ctts", "sgpd", "sbgp"].compactMap({ clip.firstIndex(of: $0) }) {
            clip.replace(at: place, with: Array("free".utf8))
        }
        for (name, fields) in tables {
            let place = try #require(clip.firstIndex(of: name))
            let old = try field(name, -4)
            let table = bigEndian(8 + 4 * fields.count) + Array(name.utf8) + fields.flatMap(bigEndian)
            clip.replaceSubrange(place - 4..<place - 4 + old, with: table)
            for parent in ["moov", "trak", "mdia", "minf", "stbl"] {
                clip.replace(at: try #require(clip.firstIndex(of: parent)) - 4, with: bigEndian(try field(parent, -4) + table.count - old))
            }
        }
        return clip
    }

    // MARK: Help

    private func reason(_ body: () throws -> some Any) -> MediaError.Reason? {
        do { _ = try body() } catch { return (error as? MediaError)?.reason }
        return nil
    }

    private func bytes(of path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

    private func write(_ bytes: [UInt8], _ path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

    private func bigEndian(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
}

extension [UInt8] {
    /// Where a text begins first.
    fileprivate func firstIndex(of text: String) -> Int? { firstRange(of: Array(text.utf8)[...], from: 0) }

    fileprivate func firstRange(of pattern: ArraySlice<UInt8>, from start: Int?) -> Int? {
        guard let start else { return nil }
        return (start..<Swift.max(start, count - pattern.count)).first { self[$0..<$0 + pattern.count] == pattern }
    }

    fileprivate mutating func replace(at place: Int, with bytes: [UInt8]) { replaceSubrange(place..<place + bytes.count, with: bytes) }
}
