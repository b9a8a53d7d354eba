import Base
import CFFmpeg
import CPixels
import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// Pictures do not depend on the processor's instruction set.
struct InstructionSetTests {
    @Test(
        "the kernel gives the same bytes with every instruction set", arguments: [16, 17, 100, 333],
        [tandem_samples_narrow, tandem_samples_wide, tandem_samples_rgb])
    func kernel(width: Int, samples: tandem_samples) {
        let (height, size, taps) = (90, 37, 9)
        let isWide = samples == tandem_samples_wide
        var generator = SplitMix64(seed: UInt64(width))
        var pixels = (0..<height * width * 2).map { _ in UInt8.random(in: 0...255, using: &generator) }
        // Ten bits.
        if isWide { for i in stride(from: 1, to: pixels.count, by: 2) { pixels[i] &= 3 } }
        func first(_ extent: Int) -> [Int32] { (0..<size).map { Int32($0 * (extent - taps) / (size - 1)) } }
        func weights() -> [Float] { (0..<size * taps).map { _ in Float.random(in: -0.1...0.3, using: &generator) } }
        let (columns, rows, columnWeights, rowWeights) = (first(width), first(height), weights(), weights())
        let scale: Float = isWide ? 0.25 : 1
        let color = tandem_color(
            luma: 1.1 * scale, v_to_red: 1.6 * scale, u_to_green: -0.4 * scale, v_to_green: -0.8 * scale, u_to_blue: 2 * scale, red: -200,
            green: 130, blue: -260)

        func crop(instructions: Int32) -> [UInt8] {
            var rgb = [UInt8](repeating: 0, count: size * size * 3)
            pixels.withUnsafeBufferPointer { pixels in
                columns.withUnsafeBufferPointer { columns in
                    rows.withUnsafeBufferPointer { rows in
                        columnWeights.withUnsafeBufferPointer { columnWeights in
                            rowWeights.withUnsafeBufferPointer { rowWeights in
                                let plane = tandem_plane(
                                    samples: pixels.baseAddress, stride: isWide ? 2 * width : width, width: Int32(width),
                                    columns: tandem_axis(first: columns.baseAddress, weights: columnWeights.baseAddress, taps: Int32(taps)),
                                    rows: tandem_axis(first: rows.baseAddress, weights: rowWeights.baseAddress, taps: Int32(taps)))
                                let planes = [plane, plane, plane]
                                let scratch = UnsafeMutableRawBufferPointer.allocate(
                                    byteCount: tandem_crop_scratch(planes, size) * 4, alignment: 64)
                                defer { scratch.deallocate() }
                                tandem_crop(
                                    &rgb, planes, color, size, samples, scratch.baseAddress!.assumingMemoryBound(to: Float.self),
                                    instructions)
                            }
                        }
                    }
                }
            }
            return rgb
        }
        let baseline = crop(instructions: 0)
        #expect(Set(baseline).count > 100)
        for instructions in 0...tandem_best_instructions() {
            #expect(crop(instructions: instructions) == baseline, "instruction set \(instructions)")
        }
    }

    /// The scratch that a crop of four pixels needs of planes.
    private static func scratch(width: Int32, first: [Int32], taps: Int32) -> Int {
        first.withUnsafeBufferPointer { first in
            var plane = tandem_plane()
            plane.width = width
            plane.columns = tandem_axis(first: first.baseAddress, weights: nil, taps: taps)
            return tandem_crop_scratch([plane, plane, plane], first.count)
        }
    }

    @Test("the kernel ends rather than read beside a plane") func planesThatAreTooNarrow() async {
        await #expect(processExitsWith: .success) { _ = Self.scratch(width: 16, first: [0, 4, 8, 12], taps: 4) }
        await #expect(processExitsWith: .success) { _ = Self.scratch(width: 16, first: [12, 8, 4, 0], taps: 4) }
        await #expect(processExitsWith: .failure) { _ = Self.scratch(width: 15, first: [0, 2, 4, 6], taps: 4) }
        await #expect(processExitsWith: .failure) { _ = Self.scratch(width: 16, first: [0, 4, 8, 13], taps: 4) }
        await #expect(processExitsWith: .failure) { _ = Self.scratch(width: 16, first: [12, 8, 4, -1], taps: 4) }
    }

    /// The environment variable that tells a second process of these tests where to write its pictures.
    private static let outputVariable = "TANDEM_TEST_UNVECTORIZED_OUTPUT"

    /// Crops of a clip, and a picture that swscale converts.
    private func pictures() throws -> Data {
        let record = try VideoRecord(inspecting: "clip.mp4", in: fixture("Crops"))
        let reader = try VideoReader(path: fixture("Crops/clip.mp4"), record: record)
        let requests = (0..<record.frameCount).map {
            PictureRequest(frame: $0, box: CropBox(x: $0 * 3, y: $0, width: 50 + $0, height: 45), isFlipped: $0 % 2 == 0, size: 32)
        }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: requests.count * 3072, alignment: 64)
        defer { memory.deallocate() }
        try reader.read(requests) { UnsafeMutableRawBufferPointer(rebasing: memory[$0 * 3072..<$0 * 3072 + 3072]) }
        return Data(memory) + Data(try readImage(fixture("Images/photo.jpg")).pixels)
    }

    @Test("with libav's plain C code pictures are the same", .timeLimit(.minutes(30)))
    func libav() throws {
        if let output = ProcessInfo.processInfo.environment[Self.outputVariable] {
            av_force_cpu_flags(0)
            return try pictures().write(to: URL(fileURLWithPath: output))
        }
        try withTemporaryFolder { folder in
            // What libav takes of the processor is set for a whole process, so this is another one.
            let (status, messages) = try Programs.runTests(
                of: "InstructionSetTests.libav", environment: [Self.outputVariable: folder + "/pictures"])
            #expect(status == 0, "\(messages)")
            let plain = try Data(contentsOf: URL(fileURLWithPath: folder + "/pictures"))
            #expect(try plain == pictures())
        }
    }
}
