import Foundation
import Media
import Pictures
import TestSupport
import Testing

/// `tandem propagate`: a video of one's own, labelled from its first frame alone.
@Suite struct PropagateTests {
    private static let weights =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        + "/Fixtures/Weights/encoder.safetensors"

    private func tandem(_ arguments: [String], in folder: String) throws -> (status: Int32, output: String) {
        try Programs.run("tandem", arguments, in: folder, seconds: 120)
    }

    private func propagate(_ video: String, _ mask: String, _ options: [String] = [], in folder: String) throws -> (Int32, String) {
        try tandem(
            ["propagate", "--weights", Self.weights, "--video", video, "--mask", mask, "--output", "out", "--size", "64"] + options,
            in: folder)
    }

    /// A synthetic sequence of DAVIS's layout, and the folders of its frames and annotations.
    private func sequence(in folder: String) throws -> (frames: String, annotations: String, names: [String]) {
        let made = try tandem(["synthesize", "data", "--seed", "5", "--videos", "1", "--sequences", "1"], in: folder)
        #expect(made.status == 0, "\(made.output)")
        let images = folder + "/data/davis/JPEGImages/480p"
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: images).first)
        let frames = "\(images)/\(name)"
        let stems = try FileManager.default.contentsOfDirectory(atPath: frames).sorted().map { String($0.dropLast(4)) }
        return (frames, "\(folder)/data/davis/Annotations/480p/\(name)", stems)
    }

    /// The masks are those of an evaluation, which the official code's judge (``PropagationTests``); a video of one's own needs no truth.
    @Test(.timeLimit(.minutes(30))) func masksOfAFolderAreThoseOfAnEvaluation() throws {
        try withTemporaryFolder { folder in
            let (frames, annotations, names) = try sequence(in: folder)
            let first = "\(annotations)/\(names[0]).png"
            let (status, output) = try propagate(frames, first, in: folder)
            #expect(status == 0 && output.contains("masks/NAME.png of \(names.count) frames"), "\(output)")
            let evaluated = try tandem(
                ["evaluate", "--weights", Self.weights, "--root", "data/davis", "--output", "evaluated", "--size", "64"], in: folder)
            #expect(evaluated.status == 0, "\(evaluated.output)")
            let results = folder + "/evaluated/" + URL(fileURLWithPath: frames).lastPathComponent
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/out/masks").sorted() == names.map { $0 + ".png" })
            for name in names {
                let mask = try readIndexImage("\(folder)/out/masks/\(name).png")
                #expect(mask == (try readIndexImage("\(results)/\(name).png")), "frame \(name)")
            }
            #expect(try readIndexImage("\(folder)/out/masks/\(names[0]).png") == readIndexImage(first))
            let sheet = try readImage(folder + "/out/sheet.png")
            #expect(sheet.width > 4 * 300)
            let video = try Programs.run("tandem", ["frames", "out/overlay.mp4"], in: folder)
            #expect(video.output.split(separator: "\n").count { !$0.hasPrefix("#") } == names.count, "\(video.output)")
        }
    }

    /// An encoder of clips may see the frames around each one, here as there.
    @Test(.timeLimit(.minutes(30))) func clipsAreThoseOfAnEvaluation() throws {
        let data = try TinyDataSet()
        let folder = try data.run("clips", settings: ["recipe=videomae", "sampling.frames=4", "train.steps=1"]).folder
        let name = "sequence-00000"
        let options = ["--weights", "runs/tiny", "--size", "64", "--clip", "4"]
        let propagated = try tandem(
            ["propagate", "--video", "\(data.folder)/davis/JPEGImages/480p/\(name)", "--output", "out", "--mask"]
                + ["\(data.folder)/davis/Annotations/480p/\(name)/00000.png"] + options, in: folder)
        #expect(propagated.status == 0, "\(propagated.output)")
        let evaluated = try tandem(["evaluate", "--root", data.folder + "/davis", "--output", "evaluated"] + options, in: folder)
        #expect(evaluated.status == 0, "\(evaluated.output)")
        let masks = try FileManager.default.contentsOfDirectory(atPath: folder + "/out/masks")
        #expect(masks.count > 20)
        for mask in masks {
            #expect(try readIndexImage("\(folder)/out/masks/\(mask)") == readIndexImage("\(folder)/evaluated/\(name)/\(mask)"), "\(mask)")
        }
    }

    /// Nothing moves, so nothing may wander: a point stays within the half patch to which points are told.
    @Test(.timeLimit(.minutes(30))) func pointsOfAStillVideoStay() throws {
        try withTemporaryFolder { folder in
            let (frames, _, names) = try sequence(in: folder)
            let still = folder + "/still"
            try FileManager.default.createDirectory(atPath: still, withIntermediateDirectories: true)
            for number in 0..<5 { try FileManager.default.copyItem(atPath: "\(frames)/\(names[0]).jpg", toPath: "\(still)/\(number).jpg") }
            let image = try readImage("\(still)/0.jpg")
            let (x, y) = (image.width / 3, image.height / 2)
            try Data("[{\"name\": \"ear\", \"x\": \(x), \"y\": \(y)}, [\(x + 40), \(y).5]]".utf8)
                .write(to: URL(fileURLWithPath: folder + "/points.json"))
            let (status, output) = try propagate(still, "points.json", in: folder)
            #expect(status == 0 && output.contains("points.json, overlay.mp4 and sheet.png"), "\(output)")
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/out/points.json"))
            let result = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
            #expect((result["names"] as? [Any])?.first as? String == "ear" && (result["names"] as? [Any])?.last is NSNull)
            let found = try #require(result["frames"] as? [[[Double]]])
            let given = [[Double(x), Double(y)], [Double(x) + 40, Double(y) + 0.5]]
            #expect(found.count == 5 && found[0] == given)
            // A patch of 4 pixels of a short side of 64.
            let patch = Double(image.height) / 64 * 4
            for (points, frame) in zip(found, 0...) {
                for (point, given) in zip(points, given) {
                    #expect(
                        abs(point[0] - given[0]) <= patch && abs(point[1] - given[1]) <= patch, "frame \(frame): \(point), not \(given)")
                }
            }
        }
    }

    /// A file of video, and a mask in black and white.
    @Test(.timeLimit(.minutes(30))) func aVideoFileAndABlackAndWhiteMask() throws {
        try withTemporaryFolder { folder in
            let made = try tandem(["synthesize", "data", "--seed", "5", "--videos", "1", "--sequences", "1"], in: folder)
            #expect(made.status == 0, "\(made.output)")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/data/train").filter { $0.hasSuffix(".mp4") }
            let video = "data/train/" + (try #require(names.first))
            let lines = try tandem(["frames", video], in: folder).output.split(separator: "\n")
            let size = try #require(lines.first { $0.hasPrefix("#dimensions") }).split(separator: " ")[2].split(separator: "x").map {
                Int($0)!
            }
            let indices = (0..<size[0] * size[1]).map { $0 % size[0] < size[0] / 2 ? UInt8(255) : 0 }
            try writeGreyPNG(IndexImage(width: size[0], height: size[1], indices: indices), to: folder + "/half.png")
            let (status, output) = try propagate(video, "half.png", in: folder)
            #expect(status == 0, "\(output)")
            let masks = try FileManager.default.contentsOfDirectory(atPath: folder + "/out/masks").sorted()
            #expect(masks.count == lines.count { !$0.hasPrefix("#") } && masks.first == "00000.png")
            #expect(try readIndexImage(folder + "/out/masks/00000.png").indices == indices.map { $0 == 255 ? 1 : 0 })
        }
    }

    @Test(arguments: [
        ("small.png", "small.png has 8x8 pixels, but the first frame of frames 64x48: draw the mask on that frame"),
        ("empty.png", "empty.png shows no object: every pixel is 0"), ("void.png", "void.png shows no object: every pixel is 0 or 255"),
        ("smooth.png", "smooth.png: 1000 pixels are 255, which is void beside other numbers, and 100 are of objects"),
        ("colours.png", "this one has colours or 16 bits"), ("missing.png", "missing.png"), ("missing.json", "missing.json cannot be read"),
        ("text.json", "text.json is no list of points"), ("none.json", "none.json lists no point"),
        ("outside.json", "outside.json: point 1 lies at 64.0, 3.0, outside the first frame of 64x48"),
        ("wrong.json", "wrong.json: point 0 cannot be read: it wants [[X, Y], ...]"),
        ("flags.json", "flags.json: point 1 cannot be read: it wants"), ("number.json", "number.json: point 0 cannot be read: it wants"),
        ("three.json", "three.json: point 0 cannot be read: it wants"),
    ])
    func labelsThatCannotBeAreRefusedBeforeAnyWork(mask: String, expected: String) throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/frames", withIntermediateDirectories: true)
            for name in ["0", "1"] {
                try writeJPEG(RGBImage(width: 64, height: 48, color: .white), to: "\(folder)/frames/\(name).jpg")
            }
            try writePNG(IndexImage(width: 8, height: 8, indices: [UInt8](repeating: 1, count: 64)), to: folder + "/small.png")
            try writePNG(IndexImage(width: 64, height: 48, indices: [UInt8](repeating: 0, count: 64 * 48)), to: folder + "/empty.png")
            try writePNG(RGBImage(width: 64, height: 48, color: .white), to: folder + "/colours.png")
            for (name, counts) in [("void", [(255, 64 * 48)]), ("smooth", [(255, 1000), (128, 100), (0, 64 * 48 - 1100)])] {
                let indices = counts.flatMap { [UInt8](repeating: UInt8($0), count: $1) }
                try writeGreyPNG(IndexImage(width: 64, height: 48, indices: indices), to: "\(folder)/\(name).png")
            }
            for (name, text) in [
                ("text", "points"), ("none", "[]"), ("outside", "[[1, 2], [64, 3]]"), ("wrong", "[{\"x\": 3}]"),
                ("flags", "[[1, 2], [true, false]]"), ("number", "[{\"name\": 7, \"x\": 1, \"y\": 2}]"), ("three", "[[1, 2, 3]]"),
            ] {
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).json"))
            }
            let (status, output) = try propagate("frames", mask, in: folder)
            #expect(status == 1 && output.contains(expected), "\(output)")
            #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
        }
    }

    @Test(.timeLimit(.minutes(30))) func resultsReplaceNoInputAndNoOtherResults() throws {
        try withTemporaryFolder { folder in
            let square = (0..<64 * 48).map { UInt8($0 % 64 < 32 ? 1 : 0) }
            func makeFrames(_ names: [String]) throws {
                try? FileManager.default.removeItem(atPath: folder + "/frames")
                try FileManager.default.createDirectory(atPath: folder + "/frames", withIntermediateDirectories: true)
                for name in names { try writeJPEG(RGBImage(width: 64, height: 48, color: .white), to: "\(folder)/frames/\(name)") }
            }
            try writePNG(IndexImage(width: 64, height: 48, indices: square), to: folder + "/first.png")
            try makeFrames(["0.jpg", "1.jpg"])
            #expect(try propagate("frames", "first.png", in: folder).0 == 0)
            #expect(try propagate("frames", "first.png", in: folder).0 == 0, "the same command replaces what it made")
            let made = try Data(contentsOf: URL(fileURLWithPath: folder + "/out/masks/1.png"))

            let otherMask = try propagate("frames", "out/masks/1.png", in: folder)
            #expect(otherMask.0 == 1 && otherMask.1.contains("out is there and was not made by this propagation"), "\(otherMask.1)")
            try makeFrames(["0.jpg", "1.jpg", "2.jpg"])
            let otherFrames = try propagate("frames", "first.png", in: folder)
            #expect(otherFrames.0 == 1 && otherFrames.1.contains("out is there and was not made by this propagation"), "\(otherFrames.1)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/out/masks/1.png")) == made)

            try makeFrames(["0.jpg", "1.jpg", "1.jpeg"])
            let sameNames = try propagate("frames", "first.png", in: folder)
            #expect(sameNames.0 == 1 && sameNames.1.contains("2 frames would have their results in masks/1.png"), "\(sameNames.1)")
            try makeFrames(["0.jpg"])
            try writeJPEG(RGBImage(width: 32, height: 48, color: .white), to: folder + "/frames/1.jpg")
            try FileManager.default.removeItem(atPath: folder + "/out")
            let otherSize = try propagate("frames", "first.png", in: folder)
            #expect(otherSize.0 == 1 && otherSize.1.contains("frame 1 has 32x48 pixels, and the first 64x48"), "\(otherSize.1)")
        }
    }

    /// A sequence whose truth is kept back, as DAVIS's test sets have them.
    @Test(.timeLimit(.minutes(30))) func aSequenceWithAFirstAnnotationGetsMasksAndNoScore() throws {
        try withTemporaryFolder { folder in
            let (frames, annotations, names) = try sequence(in: folder)
            let davis = folder + "/data/davis"
            let name = URL(fileURLWithPath: frames).lastPathComponent
            try FileManager.default.copyItem(atPath: frames, toPath: davis + "/JPEGImages/480p/kept-back")
            try FileManager.default.createDirectory(atPath: davis + "/Annotations/480p/kept-back", withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: "\(annotations)/\(names[0]).png", toPath: "\(davis)/Annotations/480p/kept-back/\(names[0]).png")
            let whole = ["evaluate", "--weights", Self.weights, "--root", "data/davis", "--size", "64"]
            let alone = try tandem(whole + ["--sequences", name, "--json"], in: folder)
            let both = try tandem(whole + ["--sequences", "\(name),kept-back", "--output", "both"], in: folder)
            #expect(
                both.status == 0 && both.output.contains("kept-back has an annotation of its first frame only and is not scored"),
                "\(both.output)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/both/kept-back").count == names.count)
            for frame in names {
                #expect(
                    try readIndexImage("\(folder)/both/kept-back/\(frame).png") == readIndexImage("\(folder)/both/\(name)/\(frame).png"))
            }
            func score(_ text: String) throws -> Double? {
                let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
                return (json?["scores"] as? [String: Double])?["davis_jf"]
            }
            let report = try String(contentsOfFile: folder + "/both/scores.json", encoding: .utf8)
            let start = try #require(alone.output.range(of: "{\n"))
            #expect(try score(report) == score(String(alone.output[start.lowerBound...])) && score(report) != nil)
            // By itself its masks are of use, but there is no score to print.
            let only = try tandem(whole + ["--sequences", "kept-back", "--output", "only"], in: folder)
            #expect(only.status == 0 && only.output.contains("nothing to score"), "\(only.output)")
            let without = try tandem(whole + ["--sequences", "kept-back"], in: folder)
            #expect(without.status == 1 && without.output.contains("masks are made with --output FOLDER"), "\(without.output)")
            // An annotation that is missing in the middle is a mistake.
            try FileManager.default.removeItem(atPath: "\(annotations)/\(names[2]).png")
            let broken = try tandem(whole, in: folder)
            #expect(broken.status == 1 && broken.output.contains("lacks an annotation"), "\(broken.output)")
        }
    }
}
