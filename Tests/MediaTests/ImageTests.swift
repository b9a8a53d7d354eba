import Base
import Foundation
import Media
import Pictures
import TestSupport
import Testing

/// A file made by Tests/Fixtures/Images/make_fixtures.py.
private func picture(_ name: String) -> String { fixture("Images/" + name) }

@Suite struct ImageTests {
    /// The channels of every pixel of a fixture.
    static func pixels(_ value: (_ x: Int, _ y: Int) -> [Int]) -> [UInt8] {
        var pixels: [UInt8] = []
        for y in 0..<7 {
            for x in 0..<19 { pixels += value(x, y).map { UInt8($0) } }
        }
        return pixels
    }

    @Test(
        "labels are read as they stand in the file, not as colours",
        arguments: [
            ("grey-1", 1), ("grey-2", 2), ("grey-4", 4), ("grey-8", 8), ("palette-1", 1), ("palette-2", 2), ("palette-4", 4),
            ("palette-8", 8), ("grey-2-transparent", 2),
        ])
    func readsIndices(name: String, depth: Int) throws {
        let image = try readIndexImage(picture(name + ".png"))
        #expect(image.width == 19 && image.height == 7)
        #expect(image.indices == Self.pixels { x, y in [(3 * x + 5 * y) % (1 << depth)] })
    }

    @Test func coloursAreNoLabels() {
        #expect(throws: MediaError.self) { try readIndexImage(picture("colour.png")) }
        #expect(throws: MediaError.self) { try readIndexImage(picture("photo.jpg")) }
    }

    @Test func readsPaletteAsColours() throws {
        let image = try readImage(picture("palette-4.png"))
        #expect(
            image.pixels
                == Self.pixels { x, y in
                    let index = (3 * x + 5 * y) % 16
                    return [index * 37 % 256, index * 91 % 256, index * 151 % 256]
                })
    }

    @Test(arguments: [1, 2, 4, 8]) func readsGreyAsColours(depth: Int) throws {
        let image = try readImage(picture("grey-\(depth).png"))
        let scale = 255 / ((1 << depth) - 1)
        #expect(
            image.pixels
                == Self.pixels { x, y in
                    let grey = (3 * x + 5 * y) % (1 << depth) * scale
                    return [grey, grey, grey]
                })
    }

    @Test func readsColours() throws {
        let image = try readImage(picture("colour.png"))
        #expect(image.pixels == Self.pixels { x, y in [10 * x, 30 * y, 7] })
    }

    @Test func jpegColoursAreThoseOfPillow() throws {
        let image = try readImage(picture("photo.jpg"))
        let expected = try [UInt8](Data(contentsOf: URL(fileURLWithPath: picture("photo.rgb"))))
        #expect(image.width == 48 && image.height == 32)
        let differences = zip(image.pixels, expected).map { abs(Int($0) - Int($1)) }
        #expect(differences.max()! <= 3, "the inverse transforms round differently, nothing more")
        #expect(Double(differences.reduce(0, +)) / Double(differences.count) < 0.1)
    }

    @Test func colourPNGKeepsEveryValue() throws {
        try withTemporaryFolder { folder in
            let image = RGBImage(width: 53, height: 31, pixels: testPicture(width: 53, height: 31, frame: 2))
            try writePNG(image, to: folder + "/a.png")
            #expect(try readImage(folder + "/a.png") == image)
            #expect(try Data(pngBytes(image)) == Data(contentsOf: URL(fileURLWithPath: folder + "/a.png")))
        }
    }

    @Test func aPNGTellsWhatMadeIt() throws {
        try withTemporaryFolder { folder in
            let image = RGBImage(width: 5, height: 3, pixels: (0..<45).map { UInt8($0) })
            try writePNG(image, to: folder + "/plain.png")
            try writePNG(image, to: folder + "/a.png", software: "tandem visualize")
            let plain = try Data(contentsOf: URL(fileURLWithPath: folder + "/plain.png"))
            // A chunk tEXt, by Python's struct and zlib.crc32.
            let chunk: [UInt8] = [
                0x00, 0x00, 0x00, 0x19, 0x74, 0x45, 0x58, 0x74, 0x53, 0x6f, 0x66, 0x74, 0x77, 0x61, 0x72, 0x65, 0x00, 0x74, 0x61, 0x6e,
                0x64,
                0x65, 0x6d, 0x20, 0x76, 0x69, 0x73, 0x75, 0x61, 0x6c, 0x69, 0x7a, 0x65, 0xfc, 0x26, 0xc4, 0x10,
            ]
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/a.png")) == plain.prefix(33) + chunk + plain.dropFirst(33))
            #expect(try readImage(folder + "/a.png") == image)
            #expect(isPNG(folder + "/a.png", of: "tandem visualize"))
            for other in ["tandem visualize b", "tandem visualiz"] { #expect(!isPNG(folder + "/a.png", of: other)) }
            for name in ["plain", "none"] { #expect(!isPNG("\(folder)/\(name).png", of: "tandem visualize")) }
        }
    }

    @Test func labelPNGKeepsEveryValueAndShowsItInItsColour() throws {
        try withTemporaryFolder { folder in
            let image = IndexImage(width: 37, height: 11, indices: (0..<37 * 11).map { UInt8(truncatingIfNeeded: $0) })
            try writePNG(image, to: folder + "/a.png")
            #expect(try readIndexImage(folder + "/a.png") == image)
            let colours = try readImage(folder + "/a.png").pixels
            // The first colours of the DAVIS palette, and the one of "void".
            for (index, colour) in [(0, [0, 0, 0]), (1, [128, 0, 0]), (2, [0, 128, 0]), (3, [128, 128, 0]), (255, [224, 224, 192])]
                as [(Int, [UInt8])]
            {
                #expect(Array(colours[index * 3..<index * 3 + 3]) == colour)
            }
        }
    }

    @Test func jpegKeepsSmoothPictures() throws {
        try withTemporaryFolder { folder in
            var pixels: [UInt8] = []
            for y in 0..<34 {
                for x in 0..<50 { pixels += [UInt8(x * 5), UInt8(y * 7), 90] }
            }
            let image = RGBImage(width: 50, height: 34, pixels: pixels)
            try writeJPEG(image, to: folder + "/a.jpg")
            let differences = zip(try readImage(folder + "/a.jpg").pixels, image.pixels).map { abs(Int($0) - Int($1)) }
            #expect(Double(differences.reduce(0, +)) / Double(differences.count) < 2)
        }
    }

    @Test(arguments: ["text", "empty", "cut.png", "cut.jpg", "folder", "missing"]) func brokenPicturesAreErrors(kind: String) throws {
        try withTemporaryFolder { folder in
            let path = folder + "/" + kind
            switch kind {
            case "text": try Data("no picture".utf8).write(to: URL(fileURLWithPath: path))
            case "empty": try Data().write(to: URL(fileURLWithPath: path))
            case "cut.png":
                try Data(contentsOf: URL(fileURLWithPath: picture("colour.png"))).prefix(60).write(to: URL(fileURLWithPath: path))
            case "cut.jpg":
                try Data(contentsOf: URL(fileURLWithPath: picture("photo.jpg"))).prefix(400).write(to: URL(fileURLWithPath: path))
            case "folder": try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            default: break
            }
            let error = #expect(throws: MediaError.self) { try readImage(path) }
            #expect(error?.path == path)
        }
    }

    @Test func hashesAreThePublishedOnes() throws {
        // RFC 1321, appendix A.5.
        let text = Array("message digest".utf8)
        #expect(text.withUnsafeBytes { PixelHash.hexadecimal(of: $0, .md5) } == "f96b697d7cb7938d525a2f31aaf161d0")
        try withTemporaryFolder { folder in
            try Data(text).write(to: URL(fileURLWithPath: folder + "/a"))
            #expect(try PixelHash.hexadecimal(ofFile: folder + "/a") == "f96b697d7cb7938d525a2f31aaf161d0")
        }
        #expect(text.withUnsafeBytes { PixelHash.hexadecimal(of: $0) }.count == 32)
    }
}
