import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// Lists of spans, as people write them and as data sets bring them.
@Suite struct SpanListTests {
    /// Two videos, of 60 frames at 30 a second and of 50 at 25, and the manifest by a list of them.
    private func prepare(_ list: String, in folder: String) throws -> (records: [VideoRecord], summary: Preparation.Summary, list: SpanList)
    {
        try writeTestClip(folder + "/a.mp4", frames: 60)
        try FileManager.default.createDirectory(atPath: folder + "/in, side", withIntermediateDirectories: true)
        try writeTestClip(folder + "/in, side/b.mkv", frames: 50, framesPerSecond: Rational(25, 1))
        try writeTestClip(folder + "/unlisted.mp4", frames: 9)
        try Data(list.utf8).write(to: URL(fileURLWithPath: folder + "/list"))
        let spans = try SpanList(path: folder + "/list")
        let summary = try Preparation(folder: folder, output: folder + "/out", list: spans, jobs: 1).run()
        return (try summary.manifest.records(), summary, spans)
    }

    private func described(_ record: VideoRecord) -> String {
        let span = record.span.map { "\($0.lowerBound)-\($0.upperBound)" } ?? "whole"
        return "\(record.path) \(span) \(record.label ?? "-")"
    }

    @Test(arguments: [
        #"""
        label,end,path,start,split\#r
        "jump, high",1.5,a.mp4,0.5,train\#r
        ,,a,1,\#r
        "say ""no""",2,"in, side/b",1,val\#r
        run,,"in, side/b.mkv",,
        """#,
        #"""
        {"path": "a.mp4", "start": 0.5, "end": 1.5, "label": "jump, high", "split": "train"}
        {"path": "a", "start": 1, "end": null}

        {"path": "in, side/b", "start": 1, "end": 2, "label": "say \"no\""}
        {"path": "in, side/b.mkv", "label": "run"}
        """#,
        #"""
        path,start_frame,end_frame,label,split
        a.mp4,15,45,"jump, high",
        a,30,,,val
        "in, side/b",25,50,"say ""no""",
        "in, side/b.mkv",,,run,
        """#,
    ])
    func spansAreListed(list: String) throws {
        try withTemporaryFolder { folder in
            let (records, summary, list) = try prepare(list, in: folder)
            #expect(
                records.map(described) == [
                    "a.mp4 15-45 jump, high", "a.mp4 30-60 -", "in, side/b.mkv whole run", "in, side/b.mkv 25-50 say \"no\"",
                ])
            #expect(list.ignored == ["split"] && list.count == 4)
            #expect((summary.counts.videos, summary.counts.spans, summary.counts.frames) == (2, 4, 30 + 30 + 50 + 25))
            #expect(summary.counts.rejects.isEmpty)
        }
    }

    /// What the folder or a video does not have is rejected with its line; the rest is listed.
    @Test func whatIsNotThereIsRejected() throws {
        try withTemporaryFolder { folder in
            let list = "path,start,end\na.mp4,0,1\na.mp4,1.99,9\na.mp4,7,9\nb.mkv,0,1\n"
            let (records, summary, _) = try prepare(list, in: folder)
            #expect(records.map(described) == ["a.mp4 0-30 -"])
            #expect(summary.counts.rejects == [.impossible: 2, .missing: 1])
            let rejects = try String(contentsOfFile: folder + "/out/rejects.jsonl", encoding: .utf8)
            for words in ["line 3 of", "a span of 0 frames", "line 5 of", "there is no such video"] {
                #expect(rejects.contains(words), "\(rejects)")
            }
        }
    }

    @Test(arguments: [
        ("path,start\na,1\na,x\n", "line 3: 'start' is 'x', and no number of seconds"),
        ("path,start_frame\na,1.5\n", "line 2: 'start_frame' is '1.5', and no number of a frame"),
        ("path,start,end_frame\na,1,2\n", "line 2: seconds and frames"), ("path,start,end\na,2,1\n", "line 2: a span from 2.0 to 1.0"),
        ("path,start,end\na,-1,1\n", "line 2: a span from -1.0"), ("video,start\na,1\n", "line 2: no 'path'"), ("", "lists no video"),
        ("path\n", "lists no video"), ("{\"path\": \"a\"}\nb\n", "line 2"),
        ("path,label\na,\(String(repeating: "x", count: 257))\n", "line 2: a label of more than 256 bytes"),
    ])
    func mistakesAreToldWithTheirLine(list: String, words: String) throws {
        try withTemporaryFolder { folder in
            try Data(list.utf8).write(to: URL(fileURLWithPath: folder + "/list"))
            let error = #expect(throws: PreparationError.self) { try SpanList(path: folder + "/list") }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
    }

    /// Pictures of a span, by the key frames that its record keeps, are those of the whole video.
    @Test func picturesOfSpansAreThoseOfTheVideo() throws {
        try withTemporaryFolder { folder in
            let (records, _, _) = try prepare("path,start_frame,end_frame\na,1,3\na,15,22\na,44,60\n", in: folder)
            let whole = try VideoRecord(inspecting: "a.mp4", in: folder)
            var hashes: [Int: String] = [:]
            try VideoReader(path: folder + "/a.mp4", record: whole).visit(Array(0..<60)) { hashes[$0] = $1.hexadecimalHash(.murmur3) }
            for record in records {
                let span = try #require(record.span)
                for frame in span {
                    try VideoReader(path: folder + "/a.mp4", record: record).visit([frame]) {
                        #expect($1.hexadecimalHash(.murmur3) == hashes[$0])
                    }
                }
            }
        }
    }
}
