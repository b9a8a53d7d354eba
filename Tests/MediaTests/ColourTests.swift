import Foundation
import Media
import Testing

/// The picture of the clips in Tests/Fixtures/Colours, made by make_colours.py there: six patches.
enum StoredColours {
    static let rows: [[[Double]]] = [
        [[200, 40, 50], [40, 180, 70], [50, 60, 210]],
        [[235, 225, 215], [25, 20, 30], [220, 170, 30]],
    ]

    /// The largest difference between a picture of 48 x 48 and patches, in levels, in the middle of the patches.
    static func worst(_ pixels: [UInt8], _ patches: [[[Double]]]) -> Double {
        var worst = 0.0
        for (row, colours) in patches.enumerated() {
            for (column, colour) in colours.enumerated() {
                let x = (2 * column + 1) * 48 / (2 * colours.count)
                let y = (2 * row + 1) * 48 / (2 * patches.count)
                for channel in 0..<3 { worst = max(worst, abs(Double(pixels[(y * 48 + x) * 3 + channel]) - colour[channel])) }
            }
        }
        return worst
    }

    /// The patches without colour, by the luma of a matrix.
    static func grey(red: Double, blue: Double) -> [[[Double]]] {
        rows.map { $0.map { [Double](repeating: red * $0[0] + (1 - red - blue) * $0[1] + blue * $0[2], count: 3) } }
    }
}

@Suite struct ColourTests {
    private func picture(_ name: String) throws -> [UInt8] { try readCrop(fixture("Colours/" + name), size: 48) }

    @Test(
        "matrix and range of the stream are respected",
        arguments: ["bt601", "bt709", "bt2020"], ["yuv420p.mp4", "yuv420p10le.mp4", "nv12.mkv"])
    func tags(matrix: String, format: String) throws {
        let limited = try picture("\(matrix)-limited-\(format)")
        let full = try picture("\(matrix)-full-\(format)")
        #expect(StoredColours.worst(limited, StoredColours.rows) <= 2)
        #expect(StoredColours.worst(full, StoredColours.rows) <= 2)
        for channel in 0..<3 {
            let difference = stride(from: channel, to: full.count, by: 3).reduce(0) { $0 + Int(full[$1]) - Int(limited[$1]) }
            #expect(abs(Double(difference)) / Double(full.count / 3) <= 2)
        }
    }

    @Test(arguments: ["limited", "full"]) func alphaIsPassedOver(range: String) throws {
        #expect(StoredColours.worst(try picture("bt709-\(range)-yuva420p.mkv"), StoredColours.rows) <= 2)
    }

    @Test(arguments: ["limited", "full"]) func greyHasARangeToo(range: String) throws {
        #expect(StoredColours.worst(try picture("bt709-\(range)-gray.mkv"), StoredColours.grey(red: 0.2126, blue: 0.0722)) <= 2)
    }

    /// swscale's rule: BT.601, limited range, but full range for grey.
    @Test func untaggedStreamsFollowLibav() throws {
        #expect(StoredColours.worst(try picture("untagged-limited-yuv420p.mp4"), StoredColours.rows) <= 2)
        #expect(StoredColours.worst(try picture("untagged-full-gray.mkv"), StoredColours.grey(red: 0.299, blue: 0.114)) <= 2)
    }
}
