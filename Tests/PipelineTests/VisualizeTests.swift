import Foundation
import MatFiles
import Media
import Pictures
import Sampling
import TestSupport
import Testing

@Suite struct VisualizeTests {
    private func draw(_ arguments: [String], in folder: String) throws -> RGBImage {
        let (status, output) = try Programs.run("tandem", ["visualize"] + arguments + ["--output", "picture.png"], in: folder)
        #expect(status == 0, "\(output)")
        #expect(output.contains("picture.png: "), "\(output)")
        return try readImage(folder + "/picture.png")
    }

    @Test(.timeLimit(.minutes(30))) func picturesOfARun() throws {
        let data = try TinyDataSet()
        let folder = try data.run("one", settings: []).folder
        try expectReconstructions(data, folder)
        try expectAttention(data, folder)
        try expectCorrespondence(data, folder)
    }

    /// Frames of 32 pixels, drawn seven times as large, with margins of 4: cells lie 36 · 7 pixels apart.
    private func expectReconstructions(_ data: TinyDataSet, _ folder: String) throws {
        let arguments = ["reconstructions", "--weights", "runs/tiny", "--ratios", ".5,.75", "--samples", "2"]
        let sheet = try draw(arguments + [data.folder + "/train"], in: folder)
        #expect((sheet.width, sheet.height) == (148 * 7, 148 * 7))
        func pixel(row: Int, column: Int, x: Int, y: Int) -> RGBColor { sheet[(column * 36 + 4 + x) * 7, (row * 36 + 4 + y) * 7] }
        func pixels(row: Int, column: Int) -> [RGBColor] { (0..<1024).map { pixel(row: row, column: column, x: $0 % 32, y: $0 / 32) } }
        for (row, hidden) in [8, 12, 8, 12].enumerated() {
            let isHidden = (0..<16).map { patch in
                (0..<64).allSatisfy {
                    pixel(row: row, column: 1, x: patch % 4 * 8 + $0 % 8, y: patch / 4 * 8 + $0 / 8) == RGBColor(128, 128, 128)
                }
            }
            #expect(isHidden.count { $0 } == hidden)
            let (prediction, truth) = (pixels(row: row, column: 2), pixels(row: row, column: 3))
            #expect(prediction != truth)
            for index in 0..<1024 where !isHidden[index / 32 / 8 * 4 + index % 32 / 8] { #expect(prediction[index] == truth[index]) }
        }
        #expect(pixels(row: 0, column: 0) == pixels(row: 1, column: 0) && pixels(row: 0, column: 3) == pixels(row: 1, column: 3))
        #expect(pixels(row: 0, column: 0) != pixels(row: 2, column: 0))
        // The manifest and the videos by themselves are the same videos; another seed draws other pairs.
        #expect(try draw(arguments + [data.manifest], in: folder) == sheet)
        #expect(try draw(arguments + data.videos, in: folder) == sheet)
        #expect(try draw(arguments + ["--seed", "1", data.manifest], in: folder) != sheet)
        let wrong = ["visualize", "reconstructions", "--weights", "runs/tiny", "--ratios", ".5,1", data.manifest, "--output", "a.png"]
        let (status, output) = try Programs.run("tandem", wrong, in: folder)
        #expect(status == 1 && output.contains("--ratios: '1' is 1.0: from 0 to below 1"), "\(output)")
    }

    /// VideoMAE V2's decoder leaves out half of the places: with only half of them hidden it might predict none of these.
    @Test(.timeLimit(.minutes(30))) func ratiosThatTheMasksForbidAreLeftOutUnlessNamed() throws {
        let data = try TinyDataSet()
        let settings = ["recipe=videomae-v2", "sampling.frames=4", "train.steps=1"]
        let folder = try data.run("clips", settings: settings).folder
        let arguments = ["reconstructions", "--weights", "runs/tiny", "--samples", "1", data.manifest]
        #expect(try draw(arguments, in: folder) == draw(arguments + ["--ratios", ".75,.9,.95"], in: folder))
        let (status, output) = try Programs.run(
            "tandem", ["visualize"] + arguments + ["--ratios", ".5,.75", "--output", "a.png"], in: folder)
        #expect(status == 1 && output.contains("--ratios: '.5' is 0.5, with which the decoder may find nothing hidden"), "\(output)")
    }

    private func expectAttention(_ data: TinyDataSet, _ folder: String) throws {
        let frames = data.folder + "/davis/JPEGImages/480p/sequence-00000"
        let arguments = ["attention", "--weights", "runs/tiny", "--size", "64"]
        let frame = try readImage(frames + "/00000.jpg")
        let cell = frame.fitted(256)
        let one = try draw(arguments + [frames + "/00000.jpg"], in: folder)
        // The picture, the mean and two heads.
        #expect((one.width, one.height) == (4 * (cell.width + 4) + 4, cell.height + 8))
        // The first frame and the last one, each with a row for CLS and one for the patch.
        let sheet = try draw(arguments + ["--frames", "2", "--patch", "70,50", frames], in: folder)
        #expect((sheet.width, sheet.height) == (one.width, 4 * (cell.height + 4) + 4))
        for y in 0..<cell.height { for x in 0..<cell.width { #expect(sheet[4 + x, 4 + y] == one[4 + x, 4 + y]) } }
    }

    /// In a second frame that is the first one, the best match of a patch is itself.
    private func expectCorrespondence(_ data: TinyDataSet, _ folder: String) throws {
        let first = data.folder + "/davis/JPEGImages/480p/sequence-00000/00000.jpg"
        let frames = folder + "/still"
        try FileManager.default.createDirectory(atPath: frames, withIntermediateDirectories: true)
        for name in ["1.jpg", "2.jpg"] { try FileManager.default.copyItem(atPath: first, toPath: "\(frames)/\(name)") }
        let sheet = try draw(
            ["correspondence", "--weights", "runs/tiny", "--size", "64x64", "--topk", "1", "--patch", "0,0", "--patch", "200,100", frames],
            in: folder)
        let frame = try readImage(first)
        let cell = frame.fitted(400)
        #expect((sheet.width, sheet.height) == (2 * (cell.width + 4) + 4, cell.height + 8))
        // The grid is 8 x 8; the border of a patch is two pixels wide, just outside it.
        for (place, color) in zip([(0, 0), (200, 100)], markPalette) {
            let (column, row) = (place.0 * 8 / frame.width, place.1 * 8 / frame.height)
            let (right, bottom) = ((column + 1) * cell.width / 8, (row + 1) * cell.height / 8)
            for left in [4, 8 + cell.width] {
                #expect(sheet[left + right, 4 + bottom - 5] == color)
                #expect(sheet[left + right + 2, 4 + bottom - 5] == .black)
            }
        }
    }

    /// Draws results into OUT and returns a sheet.
    private func overlays(_ dataset: String, results: String, sheet: String, in folder: TemporaryFolder) throws -> RGBImage {
        let arguments = ["visualize", "overlays", "--dataset", dataset, "--results", results, "--root", "data", "--frames", "2"]
        let (status, output) = try Programs.run("tandem", arguments + ["--output", "out"], in: folder.path)
        #expect(status == 0 && output.contains("out: 1 sequence"), "\(output)")
        return try readImage(folder.file("out/\(sheet).png"))
    }

    private func make(_ paths: [String], in folder: TemporaryFolder) throws {
        for path in paths {
            try FileManager.default.createDirectory(atPath: folder.file(path), withIntermediateDirectories: true)
        }
    }

    /// An odd size, of which a video has one column less, and which fills a cell of 320 x 236 nearly five times as large.
    private let frame = RGBImage(width: 65, height: 48, color: RGBColor(120, 120, 120))

    @Test func masksAreDrawnOverTheFrames() throws {
        let folder = try TemporaryFolder()
        let (frames, masks) = ("data/JPEGImages/480p/one", "data/Annotations/480p/one")
        try make([frames, masks, "data/ImageSets/2017"], in: folder)
        try Data("one\n".utf8).write(to: URL(fileURLWithPath: folder.file("data/ImageSets/2017/val.txt")))
        let mask = IndexImage(width: 65, height: 48, indices: (0..<65 * 48).map { $0 % 65 < 30 ? 2 : 0 })
        for index in 0..<3 {
            try writeJPEG(frame, to: folder.file("\(frames)/0000\(index).jpg"))
            try writePNG(mask, to: folder.file("\(masks)/0000\(index).png"))
        }
        let sheet = try overlays("davis", results: "data/Annotations/480p", sheet: "one", in: folder)
        #expect((sheet.width, sheet.height) == (2 * 324 + 4, 236 + 8))
        for left in [4, 328] {
            #expect(sheet[left + 50, 100] == RGBColor(60, 124, 60))
            #expect(sheet[left + 300, 100] == RGBColor(120, 120, 120))
            #expect((140..<155).contains { sheet[left + $0, 100] == RGBColor(0, 255, 0) })
        }
        let video = try VideoRecord(inspecting: folder.file("out/one.mp4"), in: "")
        #expect((video.width, video.height, video.frameCount) == (64, 48, 3))
    }

    /// Results lie where 'tandem evaluate' puts them, or as CropMAE writes them, which may be in colours.
    @Test func partsHaveColoursOfTheirOwn() throws {
        let folder = try TemporaryFolder()
        let (frames, maps) = ("data/Images/videos7", "data/Annotations/Category_ids/videos7")
        try make([frames, maps, "data/lists", "results/Category_ids/videos7", "results/videos7"], in: folder)
        try Data("videos7\n".utf8).write(to: URL(fileURLWithPath: folder.file("data/lists/val_videos.txt")))
        let face = IndexImage(width: 65, height: 48, indices: Array(repeating: 13, count: 65 * 48))
        for name in ["000000000001", "000000000026"] {
            try writeJPEG(frame, to: folder.file("\(frames)/\(name).jpg"))
            try writePNG(face, to: folder.file("\(maps)/\(name).png"))
        }
        try writeGreyPNG(face, to: folder.file("results/Category_ids/videos7/000000000001.png"))
        let skirt = RGBImage(width: 65, height: 48, color: RGBColor(12, 12, 12))
        try writePNG(skirt, to: folder.file("results/videos7/000000000026_mask.png"))
        let sheet = try overlays("vip", results: "results", sheet: "videos7", in: folder)
        #expect(sheet[100, 100] == RGBColor(60, 60, 188))
        #expect(sheet[428, 100] == RGBColor(60, 124, 60))
    }

    @Test func skeletonsAreDrawnWithTheTruth() throws {
        let folder = try TemporaryFolder()
        let clip = "catch/one"
        try make(["data/Rename_Images/\(clip)", "data/joint_positions/\(clip)", "results/\(clip)", "data/splits"], in: folder)
        try Data("one.avi 2\n".utf8).write(to: URL(fileURLWithPath: folder.file("data/splits/catch_test_split1.txt")))
        /// A lower leg, ankle to knee, along a row of pixels, counted from 1, in two frames.
        func leg(row: Double) -> MatArray {
            var joints = [Double](repeating: .nan, count: 30)
            (joints[26], joints[27], joints[18], joints[19]) = (10, row, 50, row)
            return MatArray(dimensions: [2, 15, 2], values: joints + joints)
        }
        for index in 1...2 { try writePNG(frame, to: folder.file("data/Rename_Images/\(clip)/0000\(index).png")) }
        try leg(row: 40).write("pos_img", to: folder.file("data/joint_positions/\(clip)/joint_positions.mat"))
        try leg(row: 10).write("pos_img", to: folder.file("results/\(clip)/joint_positions.mat"))
        let sheet = try overlays("jhmdb", results: "results", sheet: clip, in: folder)
        // Row 10 has its middle at 9.5 of 48, which is 46.7 of 236; row 40 at 194.2. Columns 10 to 50 are 46.8 to 243.7 of 320.
        for left in [4, 328] {
            #expect(sheet[left + 150, 4 + 46] == RGBColor(255, 128, 0))
            #expect(sheet[left + 46, 4 + 46] == .white)
            // The middle of row 194 is 0.29 off the white line, of a reach of 1.
            #expect(sheet[left + 150, 4 + 194] == RGBColor(181, 181, 181))
            #expect(sheet[left + 150, 4 + 120] == RGBColor(120, 120, 120))
        }
    }

    @Test(arguments: [
        (["x"], "there is no picture 'x'"),
        (["overlay"], "did you mean 'overlays'?"),
        (["overlays", "--root", ".", "--output", "a"], "--results FOLDER is missing"),
        (["overlays", "--results", ".", "--root", ".", "--output", "a", "--dataset", "kinetics"], "--dataset knows davis, jhmdb and vip"),
        (["attention", "--weights", "w", "--output", "a.png"], "name a picture, a video or a folder of frames"),
        (["attention", "--weights", "w", "--output", "no/a.png", "p"], "there is no folder no; make it, or choose another --output"),
        (["attention", "--weights", "FIXTURES/dino.pth", "--output", "a.png", "nothing"], "nothing: there is no such file"),
        (["attention", "--weights", "FIXTURES/encoder.pth", "--output", "a.png", "."], ". holds no .jpg or .png frames"),
        (["correspondence", "--weights", "w", "--output", "a.png", "."], "--patch X,Y is missing"),
        (["correspondence", "--weights", "w", "--patch", "3", "--output", "a.png", "."], "--patch wants X,Y in pixels"),
        (
            [
                "correspondence", "--weights", "FIXTURES/encoder.pth", "--size", "12x12", "--patch", "48,0", "--output", "a.png",
                "FIXTURES/..",
            ],
            "holds no .jpg or .png frames"
        ),
        (
            [
                "attention", "--weights", "FIXTURES/encoder.pth", "--size", "12x12", "--patch", "48,0", "--output", "a.png",
                "IMAGES/photo.jpg",
            ],
            "--patch 48,0 lies outside the picture of 48x32 pixels"
        ),
        (
            ["correspondence", "--weights", "w", "--patch", "4,0", "--output", "a.png", "IMAGES/photo.jpg"],
            "has one frame; matches are looked for in later ones"
        ),
        (["reconstructions", "--weights", "FIXTURES/encoder.pth", "--output", "a.png", "."], "carries no pipeline"),
        (["reconstructions", "--weights", "w", "--output", "a.png"], "name a video, a folder of videos or a manifest"),
    ])
    func mistakesAreTold(arguments: [String], expected: String) throws {
        let folder = try TemporaryFolder()
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures"
        let words = arguments.map {
            $0.replacingOccurrences(of: "FIXTURES", with: fixtures + "/Weights").replacingOccurrences(
                of: "IMAGES", with: fixtures + "/Images")
        }
        let (status, output) = try Programs.run("tandem", ["visualize"] + words, in: folder.path, seconds: 20)
        #expect(status == 1 || status == 2)
        #expect(output.contains(expected), "\(output)")
    }
}
