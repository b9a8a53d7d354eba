import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// Crops beside those of Pillow: its resize of the same box of the whole frame, converted to RGB (Tests/Fixtures/Crops/pillow.py).
struct PillowTests {
    /// One line of a list of crops.
    private struct Crop {
        var view: View
        var record: VideoRecord
        var path: String

        var line: String {
            let (box, size) = (view.box, "\(record.width) \(record.height)")
            return "\(view.frame) \(box.x) \(box.y) \(box.width) \(box.height) \(size) \(path)\n"
        }
    }

    /// Signal to noise of our crops in dB, crop by crop. Each list of crops is of one video.
    private func ratios(_ lists: [[Crop]], _ scaling: Scaling = .bicubic, expected: [UInt8], size: Int) throws -> [Double] {
        var ratios: [Double] = []
        for crops in lists {
            let count = size * size * 3
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: crops.count * count, alignment: 64)
            defer { memory.deallocate() }
            let reader = try VideoReader(path: crops[0].path, record: crops[0].record)
            let requests = crops.map { PictureRequest(frame: $0.view.frame, box: $0.view.box, size: size, scaling: scaling) }
            try reader.read(requests) { UnsafeMutableRawBufferPointer(rebasing: memory[$0 * count..<($0 + 1) * count]) }
            for index in crops.indices {
                let peer = expected[ratios.count * count..<(ratios.count + 1) * count]
                let squares = zip(memory[index * count..<(index + 1) * count], peer).reduce(0) { sum, pair in
                    let difference = Int(pair.0) - Int(pair.1)
                    return sum + difference * difference
                }
                ratios.append(10 * log10(255 * 255 * Double(count) / Double(max(1, squares))))
            }
        }
        return ratios
    }

    @Test(arguments: [(Scaling.bicubic, "crops"), (.bilinear, "crops-bilinear"), (.bilinearUnsmoothed, "crops-unsmoothed")])
    func cropsOfASmallClipArePillows(scaling: Scaling, file: String) throws {
        let folder = fixture("Crops")
        let record = try VideoRecord(inspecting: "clip.mp4", in: folder)
        let crops = try String(contentsOfFile: folder + "/crops.txt", encoding: .utf8).split(separator: "\n").map { line in
            let numbers = line.split(separator: " ").prefix(7).map { Int($0)! }
            let box = CropBox(x: numbers[1], y: numbers[2], width: numbers[3], height: numbers[4])
            return Crop(view: View(tick: 0, frame: numbers[0], box: box, isFlipped: false), record: record, path: folder + "/clip.mp4")
        }
        let expected = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/\(file).rgb")))
        for (index, ratio) in try ratios([crops], scaling, expected: expected, size: 32).enumerated() {
            #expect(ratio > 50, "crop \(index)")
        }
    }

    @Test(
        "crops of real clips are Pillow's, be chroma on the left pixel or in the middle",
        .enabled(if: Peers.python != nil && Shared.folder != nil, "needs the shared data, and Pillow: \(Peers.absence)"),
        .timeLimit(.minutes(30)), arguments: [0, 128])
    func cropsOfRealClipsArePillows(site: Int) throws {
        let folder = Shared.folder! + "/data/videos/kinetics_like"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let lists = try names.enumerated().map { number, name in
            let record = try VideoRecord(inspecting: name, in: folder)
            return (0..<(200 / names.count + 1) / 2).flatMap { ticket in
                FramePairSampler().geometry(Draw(seed: 5, ticket: number * 100 + ticket, record: record)).views.map {
                    Crop(view: $0, record: record, path: folder + "/" + name)
                }
            }
        }
        try withTemporaryFolder { temporary in
            try lists.joined().map(\.line).joined().write(toFile: temporary + "/list", atomically: true, encoding: .utf8)
            try Peers.run(fixture("Crops/pillow.py"), ["crops", temporary + "/list", "224", "\(site)", temporary + "/crops.rgb"])
            let expected = [UInt8](try Data(contentsOf: URL(fileURLWithPath: temporary + "/crops.rgb")))
            let ratios = try ratios(lists, expected: expected, size: 224)
            let mean = ratios.reduce(0, +) / Double(ratios.count)
            let figures = String(format: "%.1f dB on average, %.1f dB at worst", mean, ratios.min()!)
            print("\(ratios.count) crops beside Pillow, chroma at \(site): \(figures)")
            #expect(ratios.count >= 200 && mean >= 50 && ratios.min()! >= 45)
        }
    }
}
