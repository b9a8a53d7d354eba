import Base
import Foundation
import Sampling
import Testing

@Suite struct ManifestTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/tandem-\(UUID().uuidString)"
    private var path: String { folder + "/manifest.tandem" }

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func withFolder(_ body: () throws -> Void) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body()
    }

    private func record(_ path: String) -> VideoRecord {
        VideoRecord(
            path: path, bytes: 7, width: 340, height: 256, timeBase: Rational(1, 15360), timestamps: Timestamps([0, 512, 1024, 1536]),
            keyFrames: [0, 3], contentHash: String(repeating: "ab", count: 16))
    }

    @discardableResult
    private func write(_ records: [VideoRecord]) throws -> Manifest {
        var writer = try ManifestWriter(path: path)
        for record in records { try writer.append(record) }
        return try writer.finish()
    }

    private func readAll(_ manifest: Manifest) throws -> [VideoRecord] {
        var records: [VideoRecord] = []
        try manifest.readAll { records.append($0) }
        return records
    }

    @Test func roundTripKeepsEverything() throws {
        try withFolder {
            var uneven = record("a/ö \"x\".mp4")
            uneven.timestamps = Timestamps([-5, 0, 7, 9, 100])
            uneven.damagedFrames = [1, 4]
            uneven.orientation.isMirroredVertically = true
            let manifest = try write([uneven, record("b.mp4")])
            #expect(manifest.count == 2 && manifest.longestPath == uneven.path.utf8.count)
            #expect(try manifest[1] == record("b.mp4"))
            #expect(try manifest[0] == uneven)
            #expect(try readAll(manifest) == [uneven, record("b.mp4")])
            #expect(try Manifest(contentsOf: path).identity == manifest.identity)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["manifest.tandem"])
        }
    }

    @Test func recordsAreFoundByTheirPaths() throws {
        try withFolder {
            let paths = ["B", "a/1", "a/2", "a0", "b", "z", "é"]
            let manifest = try write(paths.map(record))
            for path in paths { #expect(try manifest.record(of: path) == record(path)) }
            for path in ["", "A", "a", "a/", "a/10", "zz"] { #expect(try manifest.record(of: path) == nil, "\(path)") }
        }
    }

    @Test("what a sample depends on changes the identity, and nothing else does") func identity() throws {
        try withFolder {
            let identity = try write([record("a"), record("b")]).identity
            #expect(identity.count == 16)
            let changes: [(inout VideoRecord) -> Void] = [
                { $0.path = "c" }, { $0.timestamps = Timestamps([0, 512, 1024, 1537]) }, { $0.timestamps = Timestamps([0, 512, 1024]) },
                { $0.contentHash = String(repeating: "cd", count: 16) }, { $0.width = 341 }, { $0.timeBase = Rational(1, 15361) },
                { $0.damagedFrames = [2] }, { $0.orientation.isTransposed = true },
            ]
            for change in changes {
                var changed = record("b")
                changed.keyFrames = [0]
                change(&changed)
                #expect(try write([record("a"), changed]).identity != identity, "\(changed)")
            }
            var moved = record("b")
            moved.bytes = 8
            moved.keyFrames = [0]
            #expect(try write([record("a"), moved]).identity == identity)
        }
    }

    @Test("a file that was never finished leaves nothing, and impossible records are not written") func unfinished() throws {
        try withFolder {
            #expect(throws: ManifestError.self) {
                var writer = try ManifestWriter(path: path)
                try writer.append(record("a"))
                var impossible = record("b")
                impossible.keyFrames = [4]
                try writer.append(impossible)
            }
            #expect(throws: ManifestError.self) { try write([]) }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left.isEmpty)
        }
    }

    @Test("damage is found: of header and table when the file is opened, of a record when it is read") func damage() throws {
        try withFolder {
            try write([record("a"), record("b"), record("c")])
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            let recordsEnd = whole.count - 3 * 16
            for byte in whole.indices {
                var damaged = whole
                damaged[byte] ^= 0x10
                try damaged.write(to: URL(fileURLWithPath: path))
                guard (56..<recordsEnd).contains(byte) else {
                    #expect(throws: ManifestError.self, "byte \(byte)") { try Manifest(contentsOf: path) }
                    continue
                }
                let manifest = try Manifest(contentsOf: path)
                let video = (byte - 56) * 3 / (recordsEnd - 56)
                let error = #expect(throws: ManifestError.self, "byte \(byte)") { try manifest[video] }
                #expect(error?.video == video)
                #expect(try manifest[(video + 1) % 3].path == ["a", "b", "c"][(video + 1) % 3])
                #expect(throws: ManifestError.self) { try readAll(manifest) }
            }
            for count in whole.indices {
                try whole.prefix(count).write(to: URL(fileURLWithPath: path))
                #expect(throws: ManifestError.self, "\(count) bytes") { try Manifest(contentsOf: path) }
            }
        }
    }

    /// Files whose checksums are right and whose content lies.
    @Test func liesAreFound() throws {
        try withFolder {
            // Published test values of FNV-1a.
            #expect(fnv("".utf8) == 0xcbf2_9ce4_8422_2325 && fnv("foobar".utf8) == 0x8594_4171_f739_67e8)
            try write([record("a"), record("b"), record("c")])
            let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            let table = whole.count - 3 * 16
            func lie(_ change: (inout [UInt8]) -> Void) throws -> Manifest {
                var bytes = whole
                change(&bytes)
                put(fnv(bytes[..<48] + bytes[table...]), at: 48, in: &bytes)
                try Data(bytes).write(to: URL(fileURLWithPath: path))
                return try Manifest(contentsOf: path)
            }
            #expect(try lie { _ in }.count == 3)
            for count in [0, 2, 4, 1 << 60, UInt64.max] {
                #expect(throws: ManifestError.self, "\(count) videos") { try lie { put(count, at: 16, in: &$0) } }
            }
            for place in [0, UInt64(table) + 16, 1 << 62, UInt64.max] {
                #expect(throws: ManifestError.self, "a table at \(place)") { try lie { put(place, at: 40, in: &$0) } }
            }
            for offset in [0, 55, UInt64(table) + 1, 1 << 62, UInt64.max] {
                let manifest = try lie { put(offset, at: table + 16, in: &$0) }
                #expect(throws: ManifestError.self, "a record at \(offset)") { try manifest[0] }
                #expect(throws: ManifestError.self, "a record at \(offset)") { try manifest[1] }
                #expect(try manifest[2].path == "c")
            }
            // The first two records, of one length, trade places: each is whole, but not their order.
            let length = (table - 56) / 3
            let swapped = try lie {
                $0.replaceSubrange(56..<56 + 2 * length, with: whole[56 + length..<56 + 2 * length] + whole[56..<56 + length])
                $0.replaceSubrange(table + 8..<table + 16, with: whole[table + 24..<table + 32])
                $0.replaceSubrange(table + 24..<table + 32, with: whole[table + 8..<table + 16])
            }
            #expect(try swapped[0].path == "b" && swapped[1].path == "a")
            #expect(throws: ManifestError.self) { try readAll(swapped) }
            // Another identity.
            let renamed = try lie { put(1, at: 32, in: &$0) }
            #expect(renamed.identity == "0000000000000001")
            #expect(throws: ManifestError.self) { try readAll(renamed) }
        }
    }

    @Test(
        "what is no manifest is refused with what to do",
        arguments: [
            ("", "is no manifest"), ("a text", "is no manifest"),
            (#"{"tandem-manifest":1,"videos":0}"# + "\n", "is of version 1, this program reads 3 to 6; run 'tandem prepare' again"),
        ])
    func refuses(text: String, detail: String) throws {
        try withFolder {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let error = #expect(throws: ManifestError.self) { try Manifest(contentsOf: path) }
            #expect(
                error?.detail.hasPrefix(detail) == true && error?.detail.contains("tandem prepare") == true, "\(String(describing: error))")
            let missing = #expect(throws: ManifestError.self) { try Manifest(contentsOf: path + "x") }
            #expect(missing?.detail.contains("tandem prepare") == true)
        }
    }

    @Test func olderVersionsMustBePreparedAgain() throws {
        try withFolder {
            try write([record("a")])
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            put(2, at: 8, in: &bytes)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: ManifestError.self) { try Manifest(contentsOf: path) }
            #expect(error?.detail == "is of version 2, this program reads 3 to 6; run 'tandem prepare' again")
        }
    }

    private func still(_ path: String) -> VideoRecord {
        VideoRecord(
            stillAt: path, bytes: 7, width: 340, height: 256, orientation: Orientation(), contentHash: String(repeating: "ab", count: 16))
    }

    /// Programs that know of no stills read version 3 alone.
    @Test("a manifest is of version 4 where it lists a still, else of version 3") func stillsHaveAVersion() throws {
        try withFolder {
            for (records, version) in [([record("a"), record("b")], 3), ([record("a"), still("b")], 4), ([still("a")], 4)]
                as [([VideoRecord], UInt8)]
            {
                let manifest = try write(records)
                #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))[8..<16].elementsEqual([version, 0, 0, 0, 0, 0, 0, 0]))
                #expect(try readAll(manifest) == records && manifest.holdsStills == (version == 4))
            }
        }
    }

    @Test func aStillInAManifestOfVideosIsALie() throws {
        try withFolder {
            try write([record("a"), still("b")])
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            put(3, at: 8, in: &bytes)
            put(fnv(bytes[..<48] + bytes[(bytes.count - 2 * 16)...]), at: 48, in: &bytes)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let manifest = try Manifest(contentsOf: path)
            #expect(try manifest[0] == record("a"))
            #expect(throws: ManifestError.self) { try manifest[1] }
        }
    }

    @Test("pairs are not drawn from stills, single pictures from all") func requirements() throws {
        try withFolder {
            let videos = try write([record("a")])
            try videos.requireFrames(for: FramePairSampler())
            try videos.requireFrames(for: ImageSampler())
            let mixed = try write([record("a"), still("b")])
            try mixed.requireFrames(for: ImageSampler())
            let error = #expect(throws: ManifestError.self) { try mixed.requireFrames(for: FramePairSampler()) }
            #expect(error?.detail.contains("tandem prepare --no-stills") == true && error?.detail.contains("recipe=mae") == true)
        }
    }

    @Test(
        "no path leads out of the media folder, whatever letters its names begin with",
        arguments: [
            ("a/b", true), ("a/..b", true), ("a/...", true), ("..", false), ("../a", false), ("a/../../b", false), ("/a", false),
            ("", false),
            ("\u{301}a", true), ("a/\u{301}b", true), ("../\u{301}a", false), ("a/..\u{301}", true), ("/\u{301}a", false),
        ])
    func pathsStayInside(path: String, isGood: Bool) { #expect((record(path).fault == nil) == isGood) }

    @Test func orientationsAreNumbers() {
        for number in UInt8(0)..<8 { #expect(Orientation(number: number)?.number == number) }
        #expect(Orientation(number: 0) == Orientation() && Orientation(number: 8) == nil)
        var record = record("a")
        record.orientation.isMirroredHorizontally = true
        func read(_ change: (inout [UInt8]) -> Void) throws -> Orientation {
            var writer = ByteWriter()
            record.write(to: &writer)
            var bytes = writer.bytes
            change(&bytes)
            return try bytes.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                return try VideoRecord(from: &reader).orientation
            }
        }
        // It stands behind the path and its length, and three numbers.
        #expect(throws: MalformedBytes("an orientation of an unknown kind")) { try read { $0[4 + 1 + 24] = 8 } }
        #expect(try! read { _ in } == record.orientation)
    }

    /// A million objects would take some hundreds of megabytes.
    @Test(.timeLimit(.minutes(30))) func aMillionVideosTakeNoMemory() throws {
        try withFolder {
            let count = 1_000_000
            func made(_ index: Int) -> VideoRecord {
                var record = record("class-\(1000 + index / 1000)/video-\(1_000_000 + index).mp4")
                record.bytes = index
                if index % 10 == 0 { record.timestamps = Timestamps((0..<30).map { Int64($0 * $0 * 7 + index) }) }
                return record
            }
            var writer = try ManifestWriter(path: path)
            for index in 0..<count { try writer.append(made(index)) }
            let written = try writer.finish()

            let before = anonymousMemory()
            let manifest = try Manifest(contentsOf: path)
            #expect(manifest.count == count && manifest.identity == written.identity)
            var stream = RandomStream(seed: 1, purpose: .replacementVideo, ticket: 0)
            for index in [0, count - 1] + (0..<10_000).map({ _ in stream.uniform(below: count) }) {
                guard try manifest[index] == made(index) else { throw MalformedBytes("video \(index) is another") }
            }
            #expect(anonymousMemory() - before < 32 << 20)
        }
    }
}

/// Bytes of memory of this process that are not a file's.
private func anonymousMemory() -> Int {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
    return (line.flatMap { Int($0.filter(\.isNumber)) } ?? 0) << 10
}

private func fnv(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
}

private func put(_ value: UInt64, at offset: Int, in bytes: inout [UInt8]) {
    for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
}
