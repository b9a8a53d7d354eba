import Foundation
import Media
import Pictures
import TestSupport
import Testing

/// `tandem evaluate --dataset classification`, as a user calls it.
@Suite(.serialized) struct ClassificationTests {
    private static let weights = Programs.package + "/Tests/Fixtures/Weights/encoder.safetensors"

    private func evaluate(_ arguments: [String], in folder: String) throws -> (status: Int32, output: String) {
        try Programs.run(
            "tandem", ["evaluate", "--dataset", "classification", "--weights", Self.weights, "--threads", "2"] + arguments, in: folder)
    }

    /// Synthesizes two videos a class to learn from and one to be judged by, in FOLDER/data/classification.
    private func synthesize(in folder: String) throws {
        let (status, output) = try Programs.run(
            "tandem", ["synthesize", "data", "--videos", "0", "--sequences", "0", "--classification", "2", "--seed", "4"], in: folder)
        #expect(status == 0, "\(output)")
    }

    private func report(_ output: String) throws -> [String: Any] {
        let start = try #require(output.range(of: "{\n"), "\(output)")
        return try #require(try JSONSerialization.jsonObject(with: Data(output[start.lowerBound...].utf8)) as? [String: Any])
    }

    /// Pictures of two colours, which any features tell apart.
    private func makeStills(in folder: String, train: Int = 4) throws {
        for (name, color) in [("blue", RGBColor(20, 30, 220)), ("red", RGBColor(230, 20, 10))] {
            for (part, count) in [("train", train), ("val", 2)] {
                let place = "\(folder)/\(part)/\(name)/more"
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
                for number in 0..<count {
                    var image = RGBImage(width: 70 + number, height: 64, color: color)
                    for x in 0..<image.width { image[x, 5 * number] = .white }
                    try writePNG(image, to: "\(place)/\(number).png")
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(30))) func videosInFoldersAndInListsGiveTheSameScores() throws {
        try withTemporaryFolder { folder in
            try synthesize(in: folder)
            let root = folder + "/data/classification/appearance"
            let (status, output) = try evaluate(["--root", root, "--output", "out", "--json"], in: folder)
            #expect(status == 0, "\(output)")
            let scores = try #require(try report(output)["scores"] as? [String: Double])
            #expect(scores.keys.sorted() == ["knn_top1", "knn_top5", "linear_top1", "linear_top5"])
            // Five classes: whatever is right is among the first five.
            #expect(scores["knn_top5"] == 100 && scores["linear_top5"] == 100)
            let predictions = try String(contentsOfFile: folder + "/out/predictions.csv", encoding: .utf8).split(separator: "\n")
            #expect(predictions[0] == "example,class,k-NN,linear" && predictions.count == 6)
            #expect(predictions[1].hasPrefix("val/cell-boxes/video-00000.mp4,cell-boxes,"))
            let right = predictions.dropFirst().count { line in
                let cells = line.split(separator: ",")
                return cells[1] == cells[2]
            }
            #expect(abs(scores["knn_top1"]! - 100 * Double(right) / 5) < 1e-9)
            #expect(
                try String(contentsOfFile: folder + "/out/scores.csv", encoding: .utf8).hasPrefix(
                    "classifier,examples,top-1,top-5\nk-NN,5,"))

            // The same videos by lists, out of a prepared folder: the same frames, so the same features.
            let classes = try FileManager.default.contentsOfDirectory(atPath: root + "/train").sorted()
            for part in ["train", "val"] {
                let lines = try classes.enumerated().flatMap { label, name in
                    try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(part)/\(name)").sorted()
                        .map { "\(part == "val" ? root + "/" : "")\(part)/\(name)/\($0) \(label + 3)\n" }
                }
                try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: "\(root)/\(part).csv"))
            }
            #expect(try Programs.run("tandem", ["prepare", root], in: folder).status == 0)
            let listed = try evaluate(["--root", root, "--output", "listed", "--json"], in: folder)
            #expect(try report(listed.output)["scores"] as? [String: Double] == scores, "\(listed.output)")
            #expect(
                FileManager.default.contentsEqual(atPath: folder + "/out/train.npy", andPath: folder + "/listed/train.npy")
                    && FileManager.default.contentsEqual(atPath: folder + "/out/val.npy", andPath: folder + "/listed/val.npy"))
        }
    }

    @Test(.timeLimit(.minutes(30))) func stillsAreToldByColour() throws {
        try withTemporaryFolder { folder in
            try makeStills(in: folder + "/stills")
            let (status, output) = try evaluate(["--root", "stills"], in: folder)
            #expect(status == 0 && output.contains("k-NN              4    100.0    100.0"), "\(output)")
            #expect(output.contains("linear            4    100.0    100.0"), "\(output)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasSuffix(".output") } == ["stills"])
        }
    }

    /// Every picture has gradients both ways: a crop that is off by one pixel shows as an error of 0.002 to 0.007.
    @Test(.enabled(if: Peers.python != nil, "\(Peers.absence)"), .timeLimit(.minutes(30))) func featuresAreThoseOfPillowAndTimm() throws {
        try withTemporaryFolder { folder in
            try makeStills(in: folder + "/stills")
            for (part, count) in [("train", 4), ("val", 2)] {
                for (number, name) in (0..<count).flatMap({ number in [(number, "blue"), (number, "red")] }) {
                    var image = RGBImage(width: 100 - 7 * number, height: 61 + 9 * number, color: .white)
                    let offset = name == "red" ? 28 + 7 * number : 0
                    for y in 0..<image.height {
                        for x in 0..<image.width {
                            image[x, y] = RGBColor(UInt8((2 * x + offset) % 256), UInt8(3 * y % 256), UInt8(x * y % 90 + 100))
                        }
                    }
                    try writePNG(image, to: "\(folder)/stills/\(part)/\(name)/more/\(number).png")
                }
            }
            let (status, output) = try evaluate(["--root", "stills", "--output", "out", "--precision", "f32"], in: folder)
            #expect(status == 0, "\(output)")
            for (part, count) in [("train", 4), ("val", 2)] {
                let stills = ["blue", "red"].flatMap { name in (0..<count).map { "\(folder)/stills/\(part)/\(name)/more/\($0).png" } }
                try Peers.run(
                    Programs.package + "/Tests/Fixtures/Classification/features.py",
                    [
                        Self.weights,
                        "timm.models.vision_transformer.VisionTransformer(img_size=12, patch_size=4, embed_dim=8, depth=2, num_heads=1, num_classes=0)",
                        "\(folder)/peer.npy",
                    ] + stills)
                let (own, peer) = try (numbers("\(folder)/out/\(part).npy"), numbers("\(folder)/peer.npy"))
                #expect(own.count == 2 * count * 8)
                #expect(TestNumbers.relativeError(own, peer.doubles) < 0.002)
            }
        }
    }

    /// The numbers of a NumPy file, behind its header of 128 bytes.
    private func numbers(_ path: String) throws -> [Float] {
        try Data(contentsOf: URL(fileURLWithPath: path)).dropFirst(128).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }

    @Test(.timeLimit(.minutes(30))) func whatCannotBeReadIsLeftOutAndNamed() throws {
        try withTemporaryFolder { folder in
            try makeStills(in: folder + "/stills")
            for name in ["train/red/broken.png", "val/blue/0.jpg"] {
                try Data("no picture".utf8).write(to: URL(fileURLWithPath: folder + "/stills/" + name))
            }
            let (status, output) = try evaluate(["--root", "stills", "--output", "out", "--json"], in: folder)
            #expect(status == 0 && output.contains("left out 2 of 14 examples"), "\(output)")
            let first = try report(output)
            #expect((first["unreadable"] as? [String: String])?.keys.sorted() == ["train/red/broken.png", "val/blue/0.jpg"])
            #expect(first["train_examples"] as? Int == 8 && first["val_examples"] as? Int == 4)
            #expect((first["scores"] as? [String: Double])?["knn_top1"] == 100)

            // The same command takes up what is there, and tries the two again.
            try FileManager.default.removeItem(atPath: folder + "/stills/val/blue/0.jpg")
            try FileManager.default.copyItem(
                atPath: folder + "/stills/val/blue/more/0.png", toPath: folder + "/stills/val/blue/0.jpg")
            let again = try evaluate(["--root", "stills", "--output", "out", "--json"], in: folder)
            #expect(again.status == 0 && again.output.contains("left out 1 of 14 examples"), "\(again.output)")
            #expect(try report(again.output)["val_examples"] as? Int == 5)
            let other = try evaluate(["--root", "stills", "--output", "out", "--views", "2"], in: folder)
            #expect(other.status == 1 && other.output.contains("holds results of other settings: views"), "\(other.output)")
        }
    }

    @Test(.timeLimit(.minutes(30))) func whatCannotBeEvaluatedIsRefused() throws {
        try withTemporaryFolder { folder in
            try makeStills(in: folder + "/stills", train: 1)
            for name in ["red", "blue"] {
                try Data("no picture".utf8).write(to: URL(fileURLWithPath: folder + "/stills/train/\(name)/more/0.png"))
            }
            let broken = try evaluate(["--root", "stills"], in: folder)
            #expect(broken.status == 1 && broken.output.contains("not one of the 2 examples of train can be read"), "\(broken.output)")
            let inside = try evaluate(["--root", "stills", "--output", "stills/out"], in: folder)
            #expect(inside.status == 1 && inside.output.contains("choose an output outside"), "\(inside.output)")
            let nothing = try evaluate(["--root", "nowhere"], in: folder)
            #expect(nothing.status == 1 && nothing.output.contains("is no classification data set"), "\(nothing.output)")
            let foreign = try evaluate(["--root", "stills", "--topk", "3"], in: folder)
            #expect(foreign.status == 2 && foreign.output.contains("there is no option --topk"), "\(foreign.output)")
        }
    }
}
