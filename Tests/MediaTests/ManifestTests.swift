import Foundation
import Sampling
import Testing

@Suite struct ManifestTests {
    private func record(_ path: String) -> VideoRecord {
        VideoRecord(
            path: path, bytes: 7, width: 340, height: 256, timeBase: Rational(1, 15360), timestamps: Timestamps([0, 512, 1024]),
            keyFrames: [0],
            contentHash: String(repeating: "ab", count: 16))
    }

    @Test func roundTripKeepsEverything() throws {
        try withTemporaryFolder { folder in
            var uneven = record("a/ö \"x\".mp4")
            uneven.timestamps = Timestamps([-5, 0, 7])
            let manifest = Manifest(records: [record("b.mp4"), uneven])
            #expect(manifest.records.map(\.path) == ["a/ö \"x\".mp4", "b.mp4"])
            try manifest.write(to: folder + "/m.jsonl")
            #expect(try Manifest(contentsOf: folder + "/m.jsonl") == manifest)
            let lines = try String(contentsOfFile: folder + "/m.jsonl", encoding: .utf8).split(separator: "\n")
            #expect(lines[0] == #"{"tandem-manifest":1,"videos":2}"#)
            #expect(lines[1].contains(#""timestamps":[-5,0,7]"#))
            #expect(lines[2].contains(#""timestamps":{"count":3,"start":0,"step":512}"#))
        }
    }

    @Test("what a sample depends on changes the identity, and nothing else does") func identity() {
        let manifest = Manifest(records: [record("a"), record("b")])
        #expect(manifest.identity == Manifest(records: [record("b"), record("a")]).identity)
        #expect(manifest.identity.count == 16)
        let changes: [(inout VideoRecord) -> Void] = [
            { $0.path = "c" }, { $0.timestamps = Timestamps([0, 512, 1025]) }, { $0.timestamps = Timestamps([0, 512]) },
            { $0.contentHash = String(repeating: "cd", count: 16) }, { $0.width = 341 }, { $0.timeBase = Rational(1, 15361) },
        ]
        for change in changes {
            var changed = record("b")
            change(&changed)
            #expect(Manifest(records: [record("a"), changed]).identity != manifest.identity, "\(changed)")
        }
        var moved = record("b")
        moved.bytes = 8
        #expect(Manifest(records: [record("a"), moved]).identity == manifest.identity)
    }

    @Test(
        "a manifest that cannot be right is refused, naming the line",
        arguments: [
            ("", 1), ("{}\n", 1), (#"{"tandem-manifest":2,"videos":1}"# + "\nGOOD\n", 1),
            (#"{"tandem-manifest":1,"videos":0}"# + "\n", nil),
            (#"{"tandem-manifest":1,"videos":2}"# + "\nGOOD\n", nil),
            (#"{"tandem-manifest":1,"videos":2}"# + "\nGOOD\n{\"path\":\"z\"}\n", 3),
            (#"{"tandem-manifest":1,"videos":2}"# + "\nGOOD\nGOOD\n", 3), (#"{"tandem-manifest":1,"videos":1}"# + "\nDOWN\n", 2),
            (#"{"tandem-manifest":1,"videos":1}"# + "\nLEAP\n", 2), (#"{"tandem-manifest":1,"videos":1}"# + "\nESCAPE\n", 2),
        ] as [(String, Int?)])
    func refuses(text: String, line: Int?) throws {
        try withTemporaryFolder { folder in
            func json(_ change: (inout VideoRecord) -> Void) throws -> String {
                var record = record("a")
                change(&record)
                return String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
            }
            let text = try text.replacingOccurrences(of: "GOOD", with: json { _ in })
                .replacingOccurrences(of: "DOWN", with: json { $0.timestamps = .table([0, 9, 8]) })
                .replacingOccurrences(of: "LEAP", with: json { $0.timestamps = .even(start: 0, step: .max / 2, count: 5) })
                .replacingOccurrences(of: "ESCAPE", with: json { $0.path = "../a" })
            try text.write(toFile: folder + "/m.jsonl", atomically: true, encoding: .utf8)
            let error = #expect(throws: ManifestError.self) { try Manifest(contentsOf: folder + "/m.jsonl") }
            #expect(error?.path == folder + "/m.jsonl")
            #expect(error?.line == line)
        }
    }
}
