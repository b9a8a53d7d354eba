import Base
import Pictures
import Propagation
import Testing

struct ResizingTests {
    /// cv2.resize(range(7), 5, INTER_NEAREST) and (range(3), 7).
    @Test func nearestIsOpenCVs() {
        let seven = LabelMap(width: 7, height: 1, labels: [0, 1, 2, 3, 4, 5, 6])
        #expect(seven.resized(width: 5, height: 2).labels == [0, 1, 2, 4, 5, 0, 1, 2, 4, 5])
        let three = LabelMap(width: 3, height: 1, labels: [0, 1, 2])
        #expect(three.resized(width: 7, height: 1).labels == [0, 0, 0, 1, 1, 2, 2])
    }

    /// Image.resize((5, 1), NEAREST) of range(7), of range(3) to 7, of range(10) to 4.
    @Test func nearestOfPillow() {
        func resized(_ count: Int, to width: Int) -> [UInt8] {
            let row = LabelMap(width: count, height: 1, labels: (0..<count).map { UInt8($0 % 251) })
            return row.resizedAsPillow(width: width, height: 1).labels
        }
        #expect(resized(7, to: 5) == [0, 2, 3, 4, 6])
        #expect(resized(3, to: 7) == [0, 0, 1, 1, 1, 2, 2])
        #expect(resized(10, to: 4) == [1, 3, 6, 8])
        // The centre of this pixel falls on an edge, and Pillow's rounding puts it to the left.
        #expect(resized(832, to: 854)[640] == 121)
        let column = LabelMap(width: 1, height: 832, labels: (0..<832).map { UInt8($0 % 251) })
        #expect(column.resizedAsPillow(width: 1, height: 854).labels[640] == 121)
        let wide = column.resizedAsPillow(width: 2, height: 3)
        #expect(wide.width == 2 && wide.height == 3 && wide.labels[0] == wide.labels[1])
    }

    /// Shrinking by 4 reads the middle 2 x 2 pixels of each cell.
    @Test func oneHotPlanesAreShrunkWithoutSmoothing() {
        let labels: [UInt8] = [
            0, 0, 0, 0, 5, 5, 5, 5,
            0, 0, 5, 0, 5, 5, 9, 5,
            0, 5, 5, 0, 5, 9, 9, 5,
            9, 9, 9, 9, 0, 0, 0, 0,
        ]
        let soft = SoftLabels(
            oneHot: LabelMap(width: 8, height: 4, labels: labels), objects: [0, 5, 9], height: 1, width: 2)
        #expect(soft.values == [0.25, 0.75, 0, 0, 0.25, 0.75])
    }

    /// Two cells over four pixels: the edge lies in the middle, the outermost pixels see one cell alone; equals go to the first label.
    @Test func masksAreTheStrongestPlanePerPixel() {
        let soft = SoftLabels(height: 1, width: 2, channels: 2, values: [1, 0, 0, 1])
        #expect(soft.mask(height: 1, width: 4, objects: [3, 7]).labels == [3, 3, 7, 7])
        #expect(soft.mask(height: 2, width: 3, objects: [3, 7]).labels == [3, 3, 7, 3, 3, 7])
    }

    @Test func framesAreNormalizedAndResized() {
        let frame = RGBImage(width: 2, height: 1, pixels: [0, 0, 0, 255, 255, 255])
        let planes = frame.normalized(height: 1, width: 4)
        // Grey levels 0, 1/4, 3/4, 1 at the four pixels; red with mean .485 and deviation .229, blue with .406 and .225.
        let red: [Float] = [-2.1179039, -1.0262009, 1.1572052, 2.2489083]
        let blue: [Float] = [-1.8044444, -0.69333333, 1.5288889, 2.64]
        #expect(zip(planes[0..<4], red).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(zip(planes[8..<12], blue).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test(arguments: [
        ("480x880", 854, 480, 480, 880), ("480", 854, 480, 480, 832), ("480", 480, 854, 832, 480), ("128", 340, 256, 128, 128),
        ("long880", 1280, 720, 448, 880), ("long880", 720, 1280, 880, 448), ("long64", 1000, 10, 64, 64),
    ])
    func inputSizes(_ text: String, _ width: Int, _ height: Int, _ inputHeight: Int, _ inputWidth: Int) throws {
        let size = try #require(InputSize(text))
        let resolved = try size.resolved(frameHeight: height, frameWidth: width, patchSize: 16)
        #expect(resolved.height == inputHeight && resolved.width == inputWidth)
        #expect("\(size)" == text)
    }

    @Test(arguments: [
        "", "x", "480x", "0", "-3", "480x880x3", "4 80", "16385", "long16385", "64x16385", "long9223372036854775807",
    ])
    func malformedInputSizes(_ text: String) {
        #expect(InputSize(text) == nil)
    }

    /// The encoder's attention grows with the square of the patches.
    @Test func inputSizesHaveALimit() throws {
        #expect(try InputSize("4096x4096")!.resolved(frameHeight: 1, frameWidth: 1, patchSize: 16) == (4096, 4096))
        for (text, height, width) in [("4096x4112", 1, 1), ("480", 1, 4000), ("long16384", 500, 500)] {
            #expect(throws: Failure.self) { try InputSize(text)!.resolved(frameHeight: height, frameWidth: width, patchSize: 16) }
        }
    }

    @Test func settingsHaveLimits() {
        func isRefused(_ change: (inout PropagationSettings) -> Void) -> Bool {
            var settings = PropagationSettings(.cropmae, for: .davis)
            change(&settings)
            do {
                try settings.validate()
                return false
            } catch { return true }
        }
        #expect(!isRefused { _ in } && !isRefused { ($0.topK, $0.queue, $0.temperature) = (1000, 1000, 1e-4) })
        for number in [0, -1, 1001, .max] {
            #expect(isRefused { $0.topK = number } && isRefused { $0.queue = number })
        }
        for number in [0, -1, 1e-300, .infinity, .nan] { #expect(isRefused { $0.temperature = number }) }
    }

    @Test func inputSizesAreWholePatches() {
        #expect(throws: Failure("the input size 100x96 is not a whole number of 16-pixel patches")) {
            try InputSize("100x96")!.resolved(frameHeight: 480, frameWidth: 854, patchSize: 16)
        }
    }
}
