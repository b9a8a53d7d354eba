import Foundation
import Media
import Pictures
import Sampling
import TestSupport
import Testing

/// Pictures that are videos of one frame.
@Suite struct StillTests {
    /// Reads a part of a still as a decoder does.
    private func read(_ path: String, _ box: CropBox, size: Int, isFlipped: Bool = false) throws -> [UInt8] {
        let url = URL(fileURLWithPath: path)
        let folder = url.deletingLastPathComponent().path
        let record = try VideoRecord(inspectingStill: url.lastPathComponent, in: folder)
        var pixels = [UInt8](repeating: 0, count: size * size * 3)
        try pixels.withUnsafeMutableBytes { pixels in
            let request = PictureRequest(frame: 0, box: box, isFlipped: isFlipped, size: size)
            try PictureReader(media: MediaRoot(folder)).read([request], of: record) { _ in pixels }
        }
        return pixels
    }

    // MARK: Colours

    /// The files and what Pillow gives of them were made by Tests/Fixtures/Stills/make_stills.py. Inverse transforms of JPEG round
    /// differently by a level, which is up to three in a colour; the light that four colours leave is rounded down; of sixteen bits the lower
    /// eight are rounded, not cut off. Nothing else may differ by more than the rounding of whole levels.
    @Test(
        "colours and crops are Pillow's",
        arguments: [
            ("420.jpg", 3), ("422.jpg", 3), ("444.jpg", 3), ("progressive.jpg", 3), ("rgb.jpg", 2), ("cmyk.jpg", 3), ("grey.jpg", 2),
            ("colours.png", 1), ("veiled.png", 1), ("palette.png", 1), ("grey.png", 1), ("bits.png", 1), ("veiled-grey.png", 1),
            ("deep.png", 2), ("deep-grey.png", 2), ("lossy.webp", 3), ("veiled.webp", 3), ("lossless.webp", 1),
        ])
    func colours(name: String, tolerance: Int) throws {
        let folder = fixture("Stills")
        let lines = try String(contentsOfFile: folder + "/crops.txt", encoding: .utf8).split(separator: "\n")
        let expected = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/crops.rgb")))
        var seen = 0
        for (index, line) in lines.enumerated() where line.hasSuffix(" " + name) {
            let box = line.split(separator: " ").prefix(4).map { Int($0)! }
            let pixels = try read(
                folder + "/" + name, CropBox(x: box[0], y: box[1], width: box[2], height: box[3]), size: 16)
            let differences = zip(pixels, expected[index * 768..<(index + 1) * 768]).map { abs(Int($0) - Int($1)) }
            #expect(differences.max()! <= tolerance, "\(line)")
            #expect(Double(differences.reduce(0, +)) < (name == "cmyk.jpg" || name.hasPrefix("deep") ? 1.2 : 0.5) * 768, "\(line)")
            seen += 1
        }
        #expect(seen == (name == "bits.png" ? 2 : 5))
    }

    @Test(
        "crops of photographs are Pillow's",
        .enabled(if: Peers.python != nil && Shared.folder != nil, "needs the shared data, and Pillow: \(Peers.absence)"),
        .timeLimit(.minutes(30)))
    func photographs() throws {
        let folder = Shared.folder! + "/data"
        let names = FileManager.default.enumerator(atPath: folder)!.compactMap { $0 as? String }.filter { $0.hasSuffix(".jpg") }.sorted()
        let crops = try stride(from: 0, to: names.count, by: max(1, names.count / 40)).map { index in
            let record = try VideoRecord(inspectingStill: names[index], in: folder)
            let layout = SampleLayout(ImageSampler().arrays)
            var block = [UInt8](repeating: 0, count: layout.byteCount(path: ""))
            return block.withUnsafeMutableBytes { block in
                (
                    names[index],
                    ImageSampler().draw(Draw(seed: 1, ticket: index, record: record), into: SampleWriter(layout, block))[0].request.box
                )
            }
        }
        try withTemporaryFolder { temporary in
            let lines = crops.map { name, box in "\(box.x) \(box.y) \(box.width) \(box.height) \(folder)/\(name)\n" }
            try lines.joined().write(toFile: temporary + "/list", atomically: true, encoding: .utf8)
            try Peers.run(fixture("Stills/make_stills.py"), [temporary + "/list", "224", temporary + "/crops.rgb"])
            let expected = [UInt8](try Data(contentsOf: URL(fileURLWithPath: temporary + "/crops.rgb")))
            var counts = [Int](repeating: 0, count: 256)
            for (number, (name, box)) in crops.enumerated() {
                let pixels = try read(folder + "/" + name, box, size: 224)
                for (index, value) in pixels.enumerated() { counts[abs(Int(value) - Int(expected[number * pixels.count + index]))] += 1 }
            }
            func share(within most: Int) -> Double { Double(counts[...most].reduce(0, +)) / Double(expected.count) }
            let squares = counts.indices.reduce(0.0) { $0 + Double($1 * $1 * counts[$1]) }
            let ratio = 10 * log10(255 * 255 * Double(expected.count) / squares)
            let figures = [1, 2, 3].map { String(format: "%.2f %% within %d", share(within: $0) * 100, $0) }.joined(separator: ", ")
            print("\(crops.count) crops of photographs beside Pillow: \(String(format: "%.1f dB", ratio)); of the levels \(figures)")
            // Where colours leave what RGB can show, Pillow cuts them off before it resizes: so a few are further away.
            #expect(crops.count >= 40 && ratio > 50 && share(within: 1) > 0.97 && share(within: 3) > 0.998)
        }
    }

    // MARK: Orientation

    /// Where the first row and the first column of the stored picture are to be seen (JEITA CP-3451, 4.6.4, A).
    private static let edges = [
        "top left", "top right", "bottom right", "bottom left", "left top", "right top", "right bottom", "left bottom",
    ]

    /// The tag Orientation in a TIFF header, as Exif data begin.
    private static func exif(_ orientation: Int, isLittle: Bool) -> [UInt8] {
        let numbers: [(Int, bytes: Int)] = [(42, 2), (8, 4), (1, 2), (0x112, 2), (3, 2), (1, 4), (orientation, 2), (0, 2), (0, 4)]
        return Array((isLittle ? "II" : "MM").utf8)
            + numbers.flatMap { number, bytes in
                let little = (0..<bytes).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
                return isLittle ? little : little.reversed()
            }
    }

    private static func bigEndian(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - $0))) }
    }

    /// The checksum of a chunk (W3C PNG, annex D).
    private static func checksum(_ bytes: [UInt8]) -> Int {
        let register = bytes.reduce(0xffff_ffff) { register, byte in
            (0..<8).reduce(register ^ Int(byte)) { rest, _ in rest & 1 == 0 ? rest >> 1 : rest >> 1 ^ 0xedb8_8320 }
        }
        return register ^ 0xffff_ffff
    }

    /// A copy of a PNG, JPEG or WebP file with Exif data.
    private func write(_ path: String, from source: String, exif: [UInt8]) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: source)))
        switch URL(fileURLWithPath: source).pathExtension {
        case "png":
            let chunk = Array("eXIf".utf8) + exif
            bytes.insert(contentsOf: Self.bigEndian(exif.count, 4) + chunk + Self.bigEndian(Self.checksum(chunk), 4), at: 33)
        case "jpg":
            let content = Array("Exif\0\0".utf8) + exif
            bytes.insert(contentsOf: [0xff, 0xe1] + Self.bigEndian(content.count + 2, 2) + content, at: 2)
        default:
            // An extended file: its header with the flag of Exif data, then the picture, then those.
            func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
                Array(name.utf8) + Self.bigEndian(content.count, 4).reversed() as [UInt8] + content
            }
            bytes.insert(contentsOf: chunk("VP8X", [8, 0, 0, 0, 66, 0, 0, 44, 0, 0]), at: 12)
            bytes += chunk("EXIF", exif)
            bytes.replaceSubrange(4..<8, with: Self.bigEndian(bytes.count - 8, 4).reversed())
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    @Test("Exif data say how a picture stands", arguments: 1...8, ["colours.png", "444.jpg", "lossless.webp"])
    func orientation(number: Int, name: String) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.\(URL(fileURLWithPath: name).pathExtension)"
            try write(path, from: fixture("Stills/" + name), exif: Self.exif(number, isLittle: number % 2 == 0))
            let isTurned = number >= 5
            let (width, height) = isTurned ? (45, 67) : (67, 45)
            let record = try VideoRecord(inspectingStill: URL(fileURLWithPath: path).lastPathComponent, in: folder)
            #expect(record.width == width && record.height == height)
            let stored = try readImage(fixture("Stills/" + name))
            let edges = Self.edges[number - 1].split(separator: " ")
            func index(_ edge: Substring, x: Int, y: Int) -> Int {
                switch edge {
                case "left": x
                case "right": width - 1 - x
                case "top": y
                default: height - 1 - y
                }
            }
            let box = CropBox(x: 5, y: 9, width: 32, height: 32)
            let pixels = try read(path, box, size: 32)
            var worst = 0
            for y in 0..<32 {
                for x in 0..<32 {
                    let (row, column) = (index(edges[0], x: box.x + x, y: box.y + y), index(edges[1], x: box.x + x, y: box.y + y))
                    for channel in 0..<3 {
                        let expected = Int(stored.pixels[(row * 67 + column) * 3 + channel])
                        worst = max(worst, abs(Int(pixels[(y * 32 + x) * 3 + channel]) - expected))
                    }
                }
            }
            #expect(worst <= (name == "444.jpg" ? 3 : 0))
        }
    }

    @Test("Exif data that lead nowhere turn nothing", arguments: [[0x49], Array("II*\0\u{7f}\u{7f}\u{7f}\u{7f}".utf8), []])
    func brokenExif(bytes: [UInt8]) throws {
        try withTemporaryFolder { folder in
            for name in ["colours.png", "444.jpg"] {
                try write(folder + "/" + name, from: fixture("Stills/" + name), exif: bytes)
                let record = try VideoRecord(inspectingStill: name, in: folder)
                #expect(record.orientation == Orientation() && record.width == 67)
            }
        }
    }

    // MARK: Records

    @Test func aStillIsAVideoOfOneFrame() throws {
        let record = try VideoRecord(inspectingStill: "420.jpg", in: fixture("Stills"))
        let file = fixture("Stills/420.jpg")
        #expect(record.frameCount == 1 && record.isStill && record.keyFrames == [0] && record.timestamps[0] == 0)
        #expect(record.fault == nil && record.seconds(ofFrame: 0) == 0)
        #expect(record.bytes == (try Data(contentsOf: URL(fileURLWithPath: file)).count))
        #expect(try record.contentHash == PixelHash.hexadecimal(ofFile: file, .md5))
    }

    @Test("pictures of few pixels fill a crop", arguments: [(1, 1), (1, 40), (40, 1), (15, 15), (16, 16), (31, 3), (33, 2)])
    func smallPictures(width: Int, height: Int) throws {
        try withTemporaryFolder { folder in
            let image = RGBImage(width: width, height: height, color: RGBColor(200, 90, 30))
            try writePNG(image, to: folder + "/a.png")
            try writePNG(
                IndexImage(width: width, height: height, indices: .init(repeating: 1, count: width * height)), to: folder + "/b.png")
            try writeJPEG(image, to: folder + "/c.jpg")
            for (name, colour) in [("a.png", [200, 90, 30]), ("b.png", [128, 0, 0]), ("c.jpg", [200, 90, 30])] {
                let pixels = try read(folder + "/" + name, CropBox(x: 0, y: 0, width: width, height: height), size: 24)
                let worst = pixels.indices.map { abs(Int(pixels[$0]) - colour[$0 % 3]) }.max()!
                #expect(worst <= (name == "c.jpg" ? 4 : 1), "\(name)")
            }
        }
    }

    @Test func whatIsNotInThePictureIsNotRead() throws {
        for (frame, box) in [(1, CropBox(x: 0, y: 0, width: 9, height: 9)), (0, CropBox(x: 60, y: 0, width: 8, height: 9))] {
            let record = try VideoRecord(inspectingStill: "420.jpg", in: fixture("Stills"))
            let error = #expect(throws: MediaError.self) {
                try PictureReader(media: MediaRoot(fixture("Stills"))).read([PictureRequest(frame: frame, box: box, size: 8)], of: record) {
                    _ in
                    .init(start: nil, count: 0)
                }
            }
            #expect(error?.reason == .impossible)
        }
    }
}
