import Foundation
import TestSupport
import Testing
import WeightFiles

/// `tandem export`, `tandem import` and `tandem inspect`, as a user calls them.
@Suite(.serialized) struct WeightCommandTests {
    private static let fixtures =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures/Weights"

    private func tandem(_ arguments: [String], in folder: String) throws -> String {
        let (status, output) = try Programs.run("tandem", arguments, in: folder, seconds: 30)
        #expect(status == 0, "\(output)")
        return output
    }

    private func json(_ path: String, in folder: String) throws -> [String: Any] {
        let output = try tandem(["inspect", path, "--json"], in: folder)
        return try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }

    @Test(.timeLimit(.minutes(30))) func aRunsWeightsGoOutAndComeBackIn() throws {
        let data = try TinyDataSet()
        let folder = try data.run("one", settings: []).folder
        let exported = try tandem(["export", "--weights", "runs/tiny", "--output", "encoder.safetensors"], in: folder)
        #expect(exported.contains("from runs/tiny/checkpoints/step-00000006.safetensors"), "\(exported)")
        #expect(exported.contains("img_size=32, patch_size=8, embed_dim=24, depth=1, num_heads=2, num_classes=0"), "\(exported)")
        let encoder = try Safetensors(path: folder + "/encoder.safetensors")
        #expect(encoder.entries.keys.allSatisfy { !$0.contains("decoder") && !$0.contains("mask") && !$0.contains("optimizer") })
        #expect(encoder.entries["pos_embed"]?.shape == [1, 17, 24])

        _ = try tandem(["export", "--weights", "runs/tiny", "--format=official", "--output", "whole.safetensors"], in: folder)
        let whole = try Safetensors(path: folder + "/whole.safetensors")
        let checkpoint = try Safetensors(path: folder + "/runs/tiny/checkpoints/step-00000006.safetensors")
        #expect(Set(whole.entries.keys) == Set(checkpoint.entries.keys.filter { !$0.hasPrefix("optimizer.") }))
        #expect(whole.entries["mask_token"] != nil && whole.entries["decoder_pos_embed"] != nil)
        for key in whole.entries.keys { #expect(try whole.floats(key) == checkpoint.floats(key)) }

        _ = try tandem(["import", "encoder.safetensors", "--output", "again.safetensors"], in: folder)
        let again = try Data(contentsOf: URL(fileURLWithPath: folder + "/again.safetensors"))
        #expect(try again == Data(contentsOf: URL(fileURLWithPath: folder + "/encoder.safetensors")))

        let evaluation = ["--root", data.folder + "/davis", "--size", "32", "--queue", "2", "--radius", "4", "--json"]
        func scores(_ weights: [String]) throws -> [String: Double] {
            let output = try tandem(["evaluate", "--weights"] + weights + evaluation, in: folder)
            let start = try #require(output.firstIndex(of: "{"))
            let report = try JSONSerialization.jsonObject(with: Data(output[start...].utf8)) as? [String: Any]
            return try #require(report?["scores"] as? [String: Double])
        }
        let own = try scores(["runs/tiny"])
        #expect(own["davis_jf"] != nil)
        #expect(try scores(["encoder.safetensors"]) == own)
        let one = try scores([Self.fixtures + "/timm.pth"]), two = try scores([Self.fixtures + "/timm.pth", "--heads", "2"])
        #expect(one.keys == own.keys && one != two)
        _ = try tandem(["export", "--weights", Self.fixtures + "/timm.pth", "--heads", "2", "--output", "two.safetensors"], in: folder)
        #expect(try scores(["two.safetensors"]) == two)
        #expect(try (json("two.safetensors", in: folder)["encoder"] as? [String: Any])?["heads"] as? Int == 2)

        let run = try json("runs/tiny", in: folder)
        #expect(run["kind"] as? String == "checkpoint" && run["step"] as? Int == 6 && run["samplesSeen"] as? Int == 48)
        #expect((run["pipeline"] as? [String: Any])?["name"] as? String == "tiny")
        let pipeline = try json(data.folder + "/tiny.json5", in: folder)
        #expect(pipeline["encoderParameters"] as? Int == run["encoderNumbers"] as? Int)
        #expect(pipeline["decoderParameters"] as? Int == run["decoderNumbers"] as? Int)
        let learned = (run["encoderNumbers"] as? Int ?? 0) + (run["decoderNumbers"] as? Int ?? 0)
        #expect(run["optimizerNumbers"] as? Int == 2 * learned)
        let manifest = try json(data.folder + "/train", in: folder)
        #expect(manifest["kind"] as? String == "manifest" && manifest["videos"] as? Int == 3)
        #expect(manifest["identity"] as? String == run["manifest"] as? String)
        for path in ["runs/tiny", data.folder + "/tiny.json5", data.folder + "/train"] {
            #expect(try tandem(["inspect", path], in: folder).split(separator: "\n").count > 5)
        }
    }

    @Test func aPyTorchFileIsImported() throws {
        let folder = NSTemporaryDirectory() + "tandem-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let output = try tandem(
            ["import", Self.fixtures + "/dino.pth", "--entry", "teacher", "--heads", "2", "--output", "a.safetensors"], in: folder)
        #expect(output.contains("('teacher.backbone')") && output.contains("left out: 32 arrays"), "\(output)")
        let imported = try EncoderWeights(path: folder + "/a.safetensors")
        #expect(imported.heads == 2)
        let expected = try Safetensors(path: Self.fixtures + "/encoder.safetensors")
        for key in expected.entries.keys { #expect(try imported.file.floats(key) == expected.floats(key)) }
        #expect(try json(Self.fixtures + "/mae.pth", in: folder)["metadata.epoch"] as? String == "799")
    }

    /// iBOT's and SiameseIM's own files go out as timm's and as their authors', and are told from the rest.
    @Test func filesOfViewsGoInAndOut() throws {
        let folder = NSTemporaryDirectory() + "tandem-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func export(_ name: String, _ more: String...) throws -> String {
            try tandem(["export", "--weights", Self.fixtures + "/" + name, "--heads", "2", "--output"] + more, in: folder)
        }
        #expect(try export("ibot.pth", "ibot.safetensors").contains("depth=1, num_heads=2, num_classes=0)"))
        #expect(try export("siamese-im.pth", "siamese.safetensors").contains("num_heads=2, num_classes=0, final_norm=False)"))
        let imported = try tandem(
            ["import", Self.fixtures + "/siamese-im.pth", "--entry", "teacher", "--heads", "2", "--output", "teacher.safetensors"],
            in: folder)
        #expect(
            imported.contains("a vision transformer without a last layer norm of width 8") && imported.contains("('model.mm_')"),
            "\(imported)")
        _ = try export("siamese-im.pth", "again.safetensors", "--entry", "teacher")
        let (file, again) = ("/teacher.safetensors", "/again.safetensors")
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder + file)) == Data(contentsOf: URL(fileURLWithPath: folder + again)))
        for name in ["ibot.pth", "siamese-im.pth"] {
            _ = try export(name, "whole.safetensors", "--format", "official")
            let (own, whole) = (try json(Self.fixtures + "/" + name, in: folder), try json("whole.safetensors", in: folder))
            for part in ["encoder", "teacher", "head", "decoder", "positions"] {
                #expect(own[part + "Numbers"] as? Int == whole[part + "Numbers"] as? Int, "\(name): \(part)")
            }
            #expect(whole["optimizerNumbers"] == nil && own["optimizerNumbers"] as? Int == 5)
            #expect((whole["encoder"] as? [String: Any])?["lastNorm"] as? Bool == (name == "ibot.pth"))
        }
        let pipeline = try #require(String(data: JSONSerialization.data(withJSONObject: ["recipe": "ibot"]), encoding: .utf8))
        try Safetensors.write(to: folder + "/run.safetensors", metadata: ["tandem.pipeline": pipeline], [])
        let (status, output) = try Programs.run(
            "tandem", ["visualize", "reconstructions", "--weights", "run.safetensors", "--output", "a.png", "."], in: folder, seconds: 20)
        let expected =
            "run.safetensors is of a training with 'ibot', which predicts no pixels that could be drawn; 'tandem visualize attention'"
        #expect(status == 1 && output.contains(expected), "\(output)")
    }

    @Test(arguments: [
        (["export", "--weights", "nothing", "--output", "a"], "cannot read nothing: there is no such file"),
        (["export", "--weights", ".", "--output", "a"], ". is a folder without a whole checkpoint"),
        (
            ["export", "--weights", "x", "--output", "a", "--format", "onnx"],
            "--format knows 'timm', 'official' and 'transformers', not 'onnx'"
        ),
        (["export", "--weights", "FIXTURES/dino.pth", "--format", "official", "--output", "a"], "holds no decoder"),
        (
            ["export", "--weights", "FIXTURES/ibot.pth", "--format", "official", "--entry", "teacher", "--output", "a"],
            "--entry takes an encoder alone, and --format official writes the whole model"
        ),
        (
            ["export", "--weights", "FIXTURES/siamese-im.pth", "--heads", "2", "--format", "transformers", "--output", "a"],
            "without a layer norm after the last block, which transformers' ViTModel always has"
        ),
        (
            ["export", "--weights", "FIXTURES/mae.pth", "--heads", "2", "--format", "transformers", "--output", "a"],
            "nothing tells how many attention heads the decoder"
        ),
        (
            ["export", "--weights", "FIXTURES/mae.pth", "--heads", "2", "--format", "transformers", "--output", "b/a"],
            "cannot make the folder b/a: No such file or directory; choose another --output"
        ),
        (["export", "--weights", "FIXTURES/encoder.pth", "--output", "FIXTURES/encoder.pth"], "is the file that is read"),
        (["import", "FIXTURES/zoo.pth", "--output", "a"], "holds no vision transformer"),
        (["import", "FIXTURES/dino.pth", "--entry", "x", "--output", "a"], "there are 'student.module.backbone', 'teacher.backbone'"),
        (["import", "FIXTURES/timm.pth", "--heads", "3", "--output", "a"], "3 heads do not divide the width 8"),
        (["import", "FIXTURES/timm.pth", "--heads", "0", "--output", "a"], "0 heads do not divide the width 8"),
        (["export", "--weights", "FIXTURES/timm.pth", "--heads", "3", "--output", "a"], "3 heads do not divide the width 8"),
        (["inspect", "FIXTURES/timm.pth", "--heads", "x"], "--heads wants a whole number, not 'x'"),
        (["import", "FIXTURES/peer.py", "--output", "a"], "it is text, and begins with '\"\"\"PyTorch and timm"),
        (["import", "page.pth", "--output", "a"], "it is a web page, and begins with '<html>sign in</html>'; download"),
        (["export", "--weights", "page.pth", "--output", "a"], "page.pth is no file of weights that can be read (safetensors, PyTorch)"),
        (["inspect", "page.pth"], "page.pth is no file of weights that can be read (safetensors, PyTorch): it is a web page"),
        (["visualize", "attention", "--weights", "page.pth", "--output", "a.png", "x.png"], "it is a web page"),
        (["bench", "propagation", "--weights", "page.pth"], "it is a web page"),
        (["bench", "propagation", "--model", "huge"], "--model wants ti16, s16, s8, b16 or l16, not 'huge'"),
        (["import", "empty.pth", "--output", "a"], "it is empty; download or copy it again"),
        (["inspect", "empty.pth"], "it is empty; download or copy it again"),
        (["import", ".", "--output", "a"], "cannot read .: it is a folder; name a file of weights in it"),
        (["inspect", "FIXTURES/peer.py"], "is no file of weights (safetensors, PyTorch), no manifest and no pipeline"),
        (["inspect", "nothing"], "cannot read nothing: there is no such file"),
        (["inspect", "empty.json5"], "line 1"),
    ])
    func mistakesAreTold(arguments: [String], expected: String) throws {
        let folder = NSTemporaryDirectory() + "tandem-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in [("empty.json5", "[1]"), ("page.pth", "<html>sign in</html>"), ("empty.pth", "")] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
        }
        let words = arguments.map { $0.replacingOccurrences(of: "FIXTURES", with: Self.fixtures) }
        let (status, output) = try Programs.run("tandem", words, in: folder, seconds: 20)
        #expect(status == 1 || status == 2)
        #expect(output.contains(expected), "\(output)")
        #expect(!FileManager.default.fileExists(atPath: folder + "/a"), "an output was left behind")
    }
}
