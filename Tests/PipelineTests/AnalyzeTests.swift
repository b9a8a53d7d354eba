import Foundation
import TestSupport
import Testing

@Suite struct AnalyzeTests {
    private func analyze(_ arguments: [String], in folder: String) throws -> (status: Int32, output: String) {
        try Programs.run("tandem", ["analyze"] + arguments, in: folder)
    }

    @Test(.timeLimit(.minutes(30))) func everyCheckpointHasItsLines() throws {
        let data = try TinyDataSet()
        let folder = try data.run("one", settings: ["train.checkpointEvery=3"]).folder
        // The set was synthesized without them.
        let (early, complaint) = try analyze(["--truth", data.folder, "runs/tiny"], in: folder)
        #expect(early == 1 && complaint.contains("--correspondences"), "\(complaint)")

        let make = ["synthesize", data.folder, "--seed", "3", "--videos", "3", "--sequences", "1", "--correspondences"]
        #expect(try Programs.run("tandem", make, in: folder).status == 0)
        let (status, output) = try analyze(["--truth", data.folder, "runs/tiny"], in: folder)
        #expect(status == 0 && output.contains("same place"), "\(output)")

        let lines = try String(contentsOfFile: folder + "/runs/tiny/analysis.jsonl", encoding: .utf8).split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(Set(lines.compactMap { $0["step"] as? Int }) == [0, 3, 6])
        // One layer and its two heads, the two heads of the decoder's block, and the same place.
        let sources = Set(lines.map { "\($0["source"]!) \($0["layer"]!).\($0["head"] ?? "-")" })
        #expect(
            sources == [
                "same-place 0.-", "encoder 1.-", "encoder 1.1", "encoder 1.2", "cross-attention 1.1", "cross-attention 1.2",
            ])
        for line in lines {
            let (hit, near) = (try #require(line["hit"] as? Double), try #require(line["near"] as? Double))
            #expect(0 <= hit && hit <= near && near <= 1)
        }
        for step in ["00000000", "00000003", "00000006"] {
            #expect(FileManager.default.fileExists(atPath: folder + "/runs/tiny/figures/matches-\(step).jpg"))
        }

        let (missing, sentence) = try analyze(["--truth", data.folder, data.folder], in: folder)
        #expect(missing == 1 && sentence.contains("holds no checkpoints"), "\(sentence)")
    }
}
