import Base
import Sampling
import TestSupport
import Testing
import WeightFiles

@Suite struct ViewPairSamplerTests {
    private static let record = videoRecord(times: (0..<50).map { $0 }, timeBase: Rational(1, 30))
    private static let small = ViewPairSampler { ($0.sampling.imageSize, $0.patchSize) = (56, 4) }

    @Test func arraysAreDeclared() {
        #expect(
            ViewPairSampler().arrays == [
                ArrayDeclaration("frames", .uint8, [2, 224, 224, 3]), ArrayDeclaration("mask", .uint8, [196], zeros: 78),
                ArrayDeclaration("geometry", .float32, [6]), ArrayDeclaration("views", .int32, [2, 7]),
            ])
        #expect(ViewPairSampler().problem == nil)
    }

    private struct Drawn: Equatable {
        var views: [View]
        var geometry: [Float]
        var mask: [UInt8]
        var frames: [UInt8]
    }

    private func draw(seed: UInt64 = 1, ticket: Int = 2, replica: Int = 1, attempt: Int = 0) throws -> Drawn {
        let draw = Draw(seed: seed, ticket: ticket, replica: replica, attempt: attempt, record: Self.record)
        return try withFinishedSample(of: Self.small, draw) { sample in
            let geometry = sample.bytes("geometry")!
            return Drawn(
                views: sample.views,
                geometry: (0..<6).map {
                    Float(bitPattern: UInt32(littleEndian: geometry.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
                }, mask: Array(sample.bytes("mask")!), frames: Array(sample.bytes("frames")!))
        }
    }

    /// Both views are of one frame and inside it; 118 patches are hidden; the geometry is that of the views.
    @Test func drawsAreWithinTheirBounds() throws {
        var (areas, flips) = ([Double](), 0)
        for ticket in 0..<1000 {
            let drawn = try draw(ticket: ticket)
            #expect(drawn.views.count == 2 && drawn.views[0].frame == drawn.views[1].frame)
            for view in drawn.views {
                let box = view.box
                #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 340 && box.y + box.height <= 256)
                areas.append(Double(box.width * box.height) / (340 * 256))
                flips += view.isFlipped ? 1 : 0
            }
            #expect(drawn.mask.count { $0 == 1 } == 118 && drawn.mask.count { $0 == 0 } == 78)
            #expect(drawn.geometry == drawn.views[0].geometry(of: drawn.views[1], frameWidth: 340))
        }
        #expect(areas.allSatisfy { $0 > 0.07 && $0 <= 1 } && areas.min()! < 0.1 && areas.max()! > 0.9)
        // Of 2,000 halves, with a deviation of 22.
        #expect(abs(flips - 1000) < 120)
    }

    @Test func samplesStayTheSameBytes() throws {
        let hash = try hashOfSamples(Self.small, of: Self.record)
        #expect(hash == 0x50d9_5c71_18d3_d596)
    }

    @Test func aSampleIsAPureFunctionOfItsName() throws {
        let first = try draw()
        #expect(try draw() == first)
        for other in [try draw(seed: 2), try draw(ticket: 3), try draw(replica: 0), try draw(attempt: 1)] {
            #expect(other.views != first.views && other.mask != first.mask && other.frames != first.frames)
        }
    }

    private static let positions = Shared.folder.map { $0 + "/golden/recipes/siameseim-positions.safetensors" }

    /// Boxes in frames as each view mirrors them become boxes in the upright frame.
    @Test(.enabled(if: positions != nil, "TANDEM_SHARED names no folder of reference values"))
    func geometryAgreesWithTheReference() throws {
        let file = try Safetensors(path: Self.positions!)
        let boxes = try file.integers("input.boxes").map { Int($0) }, flips = try file.integers("input.flips")
        let widths = try file.integers("input.width").map { Int($0) }, expected = try file.floats("out.geometry")
        #expect(widths.count == 7)
        for (pair, width) in widths.enumerated() {
            let views = (0..<2).map { index in
                let box = Array(boxes[(2 * pair + index) * 4..<(2 * pair + index + 1) * 4]), isFlipped = flips[2 * pair + index] == 1
                let left = isFlipped ? width - box[1] - box[3] : box[1]
                return View(
                    tick: 0, frame: 0, box: CropBox(x: left, y: box[0], width: box[3], height: box[2]), isFlipped: isFlipped)
            }
            #expect(views[0].geometry(of: views[1], frameWidth: width) == Array(expected[6 * pair..<6 * pair + 6]), "pair \(pair)")
        }
    }

    /// By hand: the same part seen twice, and once more by a view that mirrors it.
    @Test func geometryOfOnePart() {
        let view = View(tick: 0, frame: 0, box: CropBox(x: 60, y: 40, width: 100, height: 80), isFlipped: false)
        #expect(view.geometry(of: view, frameWidth: 320) == [0, 0, 1, 1, 0, 2])
        var mirrored = view
        mirrored.isFlipped = true
        // Column 60 is column 160 from the right: a cell at the left of one view is at the right of the other, where X = -x + 1.
        #expect(view.geometry(of: mirrored, frameWidth: 320) == [0, 1, 1, 1, 1, 1])
    }

    @Test func itSurvivesTheWire() throws {
        let sampler = AnySampler(ViewPairSampler { ($0.sampling.imageSize, $0.mask.ratio) = (96, 0.5) })
        let plan = PlanIdentity(manifestHash: "abc", seed: 5, sampler: sampler)
        #expect(try sent(plan) == plan)
    }

    /// The nearest whole number: 117.6 is 118.
    @Test(arguments: [(224, 16, 0.6, 78), (160, 16, 0.6, 40), (48, 16, 0.5, 4), (48, 16, 0.6, 4)])
    func patchesThatStayVisible(imageSize: Int, patchSize: Int, ratio: Double, expected: Int) {
        let sampler = ViewPairSampler { ($0.sampling.imageSize, $0.patchSize, $0.mask.ratio) = (imageSize, patchSize, ratio) }
        #expect(sampler.visiblePatchCount == expected)
    }

    @Test(arguments: [
        ("sampling.imageSize", 220, 0.6, "is 220, which patches of 16 pixels do not divide"),
        ("mask.ratio", 224, 1.0, "is 1.0: from 0 to below 1; at 1 the encoder sees nothing of the picture"),
        ("mask.ratio", 224, 0.0, "is 0.0, which hides no patch of 196, so that the first view is whole: raise it"),
        ("mask.ratio", 32, 0.9, "is 0.9, which leaves no visible patch of 4: lower it"),
    ]) func impossibleSettingsAreNamed(key: String, imageSize: Int, ratio: Double, message: String) {
        let sampler = ViewPairSampler { ($0.sampling.imageSize, $0.mask.ratio) = (imageSize, ratio) }
        #expect(sampler.problem?.key == key && sampler.problem?.message == message)
    }
}
