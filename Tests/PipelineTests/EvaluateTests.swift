import Foundation
import MatFiles
import Media
import Pictures
import TestSupport
import Testing

/// `tandem evaluate` on results and data sets of all three benchmarks, as a user calls it.
struct EvaluateTests {
    private static let shared = Shared.folder
    private static let absence: Comment = "TANDEM_SHARED is not there"

    private func evaluate(_ arguments: [String], in folder: String) throws -> (status: Int32, output: String) {
        try Programs.run("tandem", ["evaluate"] + arguments, in: folder, seconds: 120)
    }

    private func report(_ arguments: [String], in folder: String) throws -> [String: Any] {
        let (status, output) = try evaluate(arguments + ["--json"], in: folder)
        #expect(status == 0, "\(output)")
        let start = try #require(output.range(of: "{\n"))
        return try #require(try JSONSerialization.jsonObject(with: Data(output[start.lowerBound...].utf8)) as? [String: Any])
    }

    private func json(_ path: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
    }

    private func copy(_ folder: String, to path: String) throws {
        try FileManager.default.copyItem(atPath: folder, toPath: path)
    }

    @Test(.enabled(if: shared != nil, absence)) func davisResultsAreScoredAsTheOfficialToolDoes() throws {
        try withTemporaryFolder { folder in
            let golden = Self.shared! + "/golden"
            try copy(golden + "/davis_pairs/results", to: folder + "/results")
            let arguments = ["--metrics-only", "--results", "results", "--dataset", "davis", "--root", golden + "/davis_pairs/DAVIS"]
            let report = try report(arguments, in: folder)
            let expected = try json(golden + "/davis_metrics.json")

            let sequences = try #require(expected["sequences"] as? [String: [String: Any]])
            let found = try #require(report["sequences"] as? [String: [String: Any]])
            #expect(found.keys.sorted() == sequences.keys.sorted())
            for (name, sequence) in sequences {
                #expect(found[name]?["frame_ids"] as? [String] == sequence["frame_ids"] as? [String], "\(name)")
                let objects = try #require(sequence["objects"] as? [[String: Any]])
                let own = try #require(found[name]?["objects"] as? [[String: Any]])
                #expect(own.count == objects.count, "\(name)")
                for (mine, theirs) in zip(own, objects) {
                    #expect(mine["id"] as? Int == theirs["id"] as? Int)
                    for key in ["J", "F", "J_stats", "F_stats"] {
                        #expect(isNear(mine[key] as? [Double], theirs[key] as? [Double]), "\(name), object \(theirs["id"]!), \(key)")
                    }
                }
            }
            let global = try #require(expected["global"] as? [String: Double])
            let columns = ["J&F-Mean", "J-Mean", "J-Recall", "J-Decay", "F-Mean", "F-Recall", "F-Decay"]
            let values = try columns.map { try #require(global[$0]) }
            let ownGlobal = try #require(report["global"] as? [String: Double])
            #expect(isNear(columns.compactMap { ownGlobal[$0] }, values))
            #expect(isNear([(report["scores"] as? [String: Double])?["davis_jf"] ?? 0], [100 * values[0]]))

            func text(_ name: String) throws -> String { try String(contentsOfFile: folder + "/results/" + name, encoding: .utf8) }
            let shares = values.map { String(format: "%.3f", $0) }.joined(separator: ",")
            #expect(try text("global_results-val.csv") == columns.joined(separator: ",") + "\n" + shares + "\n")
            let objects = try text("per-sequence_results-val.csv").split(separator: "\n")
            #expect(objects.count == 40 && objects[0] == "Sequence,J-Mean,F-Mean" && objects[1] == "horsejump-osvos_1,0.871,0.930")
        }
    }

    @Test(.enabled(if: shared != nil, absence)) func vipResultsAreScoredAsCropMAEDoes() throws {
        try withTemporaryFolder { folder in
            let golden = Self.shared! + "/golden/vip"
            let report = try report(
                ["--metrics-only", "--results", golden + "/pred", "--dataset", "vip", "--root", golden], in: folder)
            let expected = try json(golden + "/vip.json")
            #expect(report["confusion_gt_row_pred_col"] as? [[Int]] == expected["confusion_gt_row_pred_col"] as? [[Int]])
            #expect(isNear([(report["scores"] as? [String: Double])?["vip_miou"] ?? 0], [100 * (expected["mIoU"] as! Double)]))
        }
    }

    /// The golden predictions, given in cells, as a folder of results.
    @Test(.enabled(if: shared != nil, absence)) func jhmdbResultsAreScoredAsCropMAEDoes() throws {
        try withTemporaryFolder { folder in
            let golden = Self.shared! + "/golden/jhmdb"
            let expected = try json(golden + "/pck.json")
            var list = ""
            for (index, clip) in try #require(expected["clips"] as? [[String: Any]]).enumerated() {
                for place in ["root/joint_positions", "results"] {
                    try FileManager.default.createDirectory(
                        atPath: "\(folder)/\(place)/catch/clip\(index)", withIntermediateDirectories: true)
                }
                try copy("\(golden)/clip\(index).mat", to: "\(folder)/root/joint_positions/catch/clip\(index)/joint_positions.mat")
                let points = try #require(clip["pred_xy_joint_frame"] as? [[[Double]]])
                let frames = points[0][0].count
                var values: [Double] = []
                for frame in 0..<frames {
                    for joint in 0..<15 {
                        let (x, y) = (points[0][joint][frame], points[1][joint][frame])
                        values += x < 0 ? [Double.nan, Double.nan] : [x / 20 * 320 + 1, y / 20 * 240 + 1]
                    }
                }
                try MatArray(dimensions: [2, 15, frames], values: values)
                    .write("pos_img", to: "\(folder)/results/catch/clip\(index)/joint_positions.mat")
                list += "clip\(index).avi 2\n"
            }
            try FileManager.default.createDirectory(atPath: folder + "/root/splits", withIntermediateDirectories: true)
            try Data(list.utf8).write(to: URL(fileURLWithPath: folder + "/root/splits/catch_test_split1.txt"))

            let report = try report(["--metrics-only", "--results", "results", "--dataset", "jhmdb", "--root", "root"], in: folder)
            let scores = try #require(report["scores"] as? [String: Double])
            for (threshold, value) in try #require(expected["PCK"] as? [String: Double]) {
                #expect(isNear([scores["jhmdb_pck_\(threshold)"] ?? 0], [value]), "PCK@\(threshold)")
            }
        }
    }

    /// Results that are made are scored the same from their files; a second call finds them, and none of other settings is taken.
    @Test(
        .enabled(if: shared != nil, absence), .timeLimit(.minutes(30)),
        arguments: [
            ("davis", "davis", "blackswan", "davis_jf"),
            ("jhmdb", "jhmdb", "catch/Goal_Keeping_Tips_catch_f_cm_np1_fr_med_2", "jhmdb_pck_0.1"),
            ("vip", "vip", "videos1,videos2", "vip_miou"),
        ])
    func resultsStay(_ dataset: String, _ folderName: String, _ sequences: String, _ score: String) throws {
        try withTemporaryFolder { folder in
            let data = ["--dataset", dataset, "--root", Self.shared! + "/data/" + folderName, "--sequences", sequences]
            let whole = ["--baseline", "copy", "--output", "out"] + data
            let first = try #require(try report(whole, in: folder)["scores"] as? [String: Double])
            #expect(first[score] != nil)
            let scored = try report(["--metrics-only", "--results", "out"] + data, in: folder)
            #expect(scored["scores"] as? [String: Double] == first)
            #expect(try json(folder + "/out/scores.json")["scores"] as? [String: Double] == first)
            #expect(try String(contentsOfFile: folder + "/out/scores.csv", encoding: .utf8).contains(sequences.split(separator: ",")[0]))

            // A result that is taken away is made again.
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder + "/out").filter {
                $0.hasSuffix(".png") || $0.hasSuffix(".mat")
            }.sorted()
            try FileManager.default.removeItem(atPath: folder + "/out/" + files[files.count / 2])
            #expect(try report(whole, in: folder)["scores"] as? [String: Double] == first)
            #expect(FileManager.default.fileExists(atPath: folder + "/out/" + files[files.count / 2]))

            let state = folder + "/out/evaluation.json"
            let text = try String(contentsOfFile: state, encoding: .utf8)
            try Data(text.replacingOccurrences(of: "\"copy\"", with: "\"other\"").utf8).write(to: URL(fileURLWithPath: state))
            let (status, output) = try evaluate(whole, in: folder)
            #expect(status == 1 && output.contains("baseline is 'other' there, 'copy' here"), "\(output)")
        }
    }

    @Test(.enabled(if: shared != nil, absence)) func unusableResultsAreNamed() throws {
        try withTemporaryFolder { folder in
            let golden = Self.shared! + "/golden"
            try copy(golden + "/davis_pairs/results/edge_len4", to: folder + "/edge_len4")
            let arguments = ["--metrics-only", "--results", ".", "--root", golden + "/davis_pairs/DAVIS", "--sequences", "edge_len4"]
            func refusal() throws -> String {
                let (status, output) = try evaluate(arguments, in: folder)
                #expect(status == 1)
                return output
            }
            // Neither the first nor the last frame is scored.
            try FileManager.default.removeItem(atPath: folder + "/edge_len4/00000.png")
            try FileManager.default.removeItem(atPath: folder + "/edge_len4/00003.png")
            #expect(try evaluate(arguments, in: folder).status == 0)
            let file = folder + "/edge_len4/00002.png"
            let mask = try readIndexImage(file)
            try writePNG(IndexImage(width: mask.height, height: mask.width, indices: mask.indices), to: file)
            #expect(try refusal().contains("./edge_len4/00002.png has 37x53 pixels, the annotation 53x37"))
            var much = mask
            much.indices[5] = 9
            try writePNG(much, to: file)
            #expect(try refusal().contains("./edge_len4/00002.png holds object 9; the first annotation has 3"))
            try FileManager.default.removeItem(atPath: file)
            #expect(try refusal().contains("there is no result ./edge_len4/00002.png"))
        }
    }

    @Test func optionsThatDoNotGoTogetherAreRefused() throws {
        for (arguments, expected) in [
            (["--metrics-only", "--root", "."], "--metrics-only and --results FOLDER go together"),
            (["--baseline", "copy", "--root", ".", "--results", "x"], "--metrics-only and --results FOLDER go together"),
            (["--baseline", "copy", "--root", ".", "--dataset", "kinetics"], "--dataset wants davis or jhmdb or vip, not 'kinetics'"),
            (["--baseline", "copy", "--root", ".", "--dataset", "vip", "--score-size", "480x880"], "--score-size is for --dataset davis"),
            (
                ["--baseline", "copy", "--root", ".", "--score-size", "480"],
                "--score-size wants HEIGHTxWIDTH, each of 1 to 16384 pixels, not '480'"
            ),
            (["--root", "."], "give one of --weights FILE, --baseline copy, --metrics-only, --trainer ENDPOINT and --watch FOLDER"),
        ] {
            let (status, output) = try evaluate(arguments, in: NSTemporaryDirectory())
            #expect(status == 2 && output.contains(expected), "\(output)")
        }
    }
}

private func isNear(_ found: [Double]?, _ expected: [Double]?) -> Bool {
    guard let found, let expected, found.count == expected.count else { return false }
    return zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-6 }
}
