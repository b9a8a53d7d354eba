import Foundation
import TestSupport
import Testing

@Suite struct AblateTests {
    @Test(.timeLimit(.minutes(30))) func tableOfTwoPipelines() throws {
        let data = try TinyDataSet()
        let folder = try data.makeFolder("table")
        let make = [
            "synthesize", data.folder, "--seed", "3", "--videos", "3", "--sequences", "1", "--correspondences", "--classification", "2",
        ]
        #expect(try Programs.run("tandem", make, in: folder).status == 0)
        let other = try String(contentsOfFile: data.folder + "/tiny.json5", encoding: .utf8)
            .replacingOccurrences(of: "name: \"tiny\"", with: "name: \"still\", recipe: \"mae\"")
        try other.write(toFile: data.folder + "/still.json5", atomically: true, encoding: .utf8)
        let arguments =
            ["ablate", data.folder + "/tiny.json5", data.folder + "/still.json5", "--vary", "mask.ratio=.5,.75", "--seeds", "2"]
            + ["--set", "evaluation.davis=\"\(data.folder)/davis\"", "--truth", data.folder]
            + ["--classes", data.folder + "/classification/motion"]
        let (status, output) = try Programs.run("tandem", arguments, in: folder)
        #expect(status == 0, "\(output)")
        let rows = output.split(separator: "\n").filter { $0.hasPrefix("|") }.map {
            $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(rows.map(\.count) == Array(repeating: 8, count: 6), "\(output)")
        #expect(rows.first == ["pipeline", "mask.ratio", "J&F", "J", "F", "k-NN motion", "matches", "CPU min"], "\(output)")
        #expect(rows.dropFirst(2).map { $0[0] } == ["tiny", "tiny (base)", "still", "still"])
        #expect(rows.dropFirst(2).map { $0[1] } == [".5", ".75", ".5", ".75"])
        for row in rows.dropFirst(2) { #expect(row.dropFirst(2).allSatisfy { $0.contains(" ± ") }, "\(row)") }

        // All is done: the same table again, and none of the folders touched.
        let first = folder + "/runs/tiny-base-seed-0/log.txt"
        let before = try FileManager.default.attributesOfItem(atPath: first)[.modificationDate] as? Date
        let (again, table) = try Programs.run("tandem", arguments, in: folder)
        #expect(again == 0 && output.hasSuffix(table), "\(table)")
        #expect(try FileManager.default.attributesOfItem(atPath: first)[.modificationDate] as? Date == before)
    }
}
