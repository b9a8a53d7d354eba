import Foundation
import Sampling
import Synthesis
import TestSupport
import Testing
import WeightFiles

@Suite struct MotionMaskTests {
    private static let values = Shared.folder.map { $0 + "/golden/recipes/mgmae-masks.safetensors" }

    /// Sizes and motion of one case of the reference values.
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let image, patch, frames, tubelet: Int
        let ratio: Double
        let velocity: [Float]?
        let kind: String

        enum CodingKeys: String, CodingKey {
            case name, image, patch, frames, tubelet, velocity, kind
            case ratio = "mask_ratio"
        }

        var testDescription: String { name }
    }

    private static let cases: [Case] = {
        struct Config: Decodable { let cases: [Case] }
        guard let values, let file = try? Safetensors(path: values), let config = file.metadata["config"] else { return [] }
        return (try? JSONDecoder().decode(Config.self, from: Data(config.utf8)).cases) ?? []
    }()

    /// Masks of known motion, volumes within float32 and masks wherever the order is clear, as the reference has them.
    @Test(.enabled(if: values != nil, "TANDEM_SHARED names no folder of reference values"), arguments: cases)
    func agreesWithTheReference(known: Case) throws {
        let file = try Safetensors(path: Self.values!)
        let motion = MotionMask(frames: known.frames, side: known.image, patchSize: known.patch, tubelet: known.tubelet)
        let places = known.image / known.patch * (known.image / known.patch), pixels = known.image * known.image
        let centres = try file.integers("\(known.name).input.centres").map { Int($0) }
        #expect(centres.count == TubeMask.visibleCount(of: places, ratio: known.ratio))
        /// The flow to the next frame, or to the one before.
        func flow(_ isNext: Bool) throws -> OpticalFlow {
            let name = "\(known.name).input.flow_to_\(isNext ? "next" : "previous")"
            if file.entries[name] != nil {
                let numbers = try file.floats(name)
                return OpticalFlow(side: known.image, x: Array(numbers[..<pixels]), y: Array(numbers[pixels...]))
            }
            let velocity = (known.velocity ?? [0, 0]).map { isNext ? $0 : -$0 }
            return OpticalFlow(
                side: known.image, x: [Float](repeating: velocity[0], count: pixels), y: [Float](repeating: velocity[1], count: pixels))
        }
        let (next, previous) = (try flow(true), try flow(false))
        let maps = motion.maps(centres: centres) { frame, neighbour in neighbour > frame ? next : previous }
        let row = maps[motion.baseFrame][known.image / 2 * known.image..<(known.image / 2 + 1) * known.image]
        #expect(TestNumbers.relativeError(Array(row), try file.floats("\(known.name).out.base_row").map(Double.init)) < 1e-6)

        let volume = motion.volume(maps)
        #expect(TestNumbers.relativeError(volume, try file.floats("\(known.name).out.volume").map(Double.init)) < 1e-5)
        let visible = MotionMask.visibleCount(of: places, ratio: known.ratio)
        let mask = motion.mask(volume: volume, visible: visible), expected = try file.integers("\(known.name).out.mask").map { UInt8($0) }
        let margins = try file.floats("\(known.name).out.margin")
        for (step, margin) in margins.enumerated() {
            let cubes = step * places..<(step + 1) * places
            #expect(mask[cubes].count { $0 == 0 } == visible)
            // A still clip ties everywhere, and the earlier cube is the visible one.
            if margin > 1e-4 || known.kind == "zero" { #expect(mask[cubes] == expected[cubes], "step \(step)") }
        }
    }

    private static let motion = MotionMask(frames: 8, side: 64, patchSize: 8, tubelet: 2)

    private func uniform(_ x: Float, _ y: Float, side: Int = 64) -> OpticalFlow {
        OpticalFlow(side: side, x: [Float](repeating: x, count: side * side), y: [Float](repeating: y, count: side * side))
    }

    /// Nothing moves: the same places in every step, all but one of those that were drawn, which are equally dear.
    @Test func aStillClipHasATube() {
        let centres = [3, 17, 29, 44, 50, 61, 7]
        let mask = Self.motion.mask(centres: centres, visible: 6) { _, _ in uniform(0, 0) }
        let steps = stride(from: 0, to: mask.count, by: 64).map { Array(mask[$0..<$0 + 64]) }
        #expect(Set(steps).count == 1 && steps.count == 4)
        #expect((0..<64).filter { steps[0][$0] == 0 } == Array(centres.sorted().prefix(6)))
    }

    /// All moves by half a patch a frame to the right: what is seen in the middle is seen a patch further in each step after, and before it a patch
    /// less far.
    @Test func placesFollowTheMotion() {
        let mask = Self.motion.mask(centres: [27], visible: 1) { frame, neighbour in uniform(neighbour > frame ? 4 : -4, 0) }
        let seen = (0..<4).map { step in mask[step * 64..<(step + 1) * 64].firstIndex(of: 0)! - step * 64 }
        // The map is drawn for frame 4, the first of the third step: within a step it moves by half a patch.
        #expect(seen == [25, 26, 27, 28])
    }
}

@Suite struct BlockMatchingTests {
    /// Smooth noise that moves by (x, y) pixels a frame, bilinear between its pixels, as packed grey levels; every other frame is in another light.
    private func clip(side: Int, frames: Int, x: Double, y: Double, light: Double = 1) -> [UInt8] {
        let large = side + 128
        let noise = TestNumbers.normal(large * large / 16, seed: 5)
        /// The texture's level: noise every four pixels, bilinear between.
        func level(_ x: Double, _ y: Double) -> Double {
            let (column, row) = (x / 4, y / 4), (left, top) = (Int(column), Int(row)), width = large / 4
            let (shareX, shareY) = (column - Double(left), row - Double(top))
            func at(_ row: Int, _ column: Int) -> Double { Double(noise[row * width + column]) }
            return at(top, left) * (1 - shareX) * (1 - shareY) + at(top, left + 1) * shareX * (1 - shareY)
                + at(top + 1, left) * (1 - shareX) * shareY + at(top + 1, left + 1) * shareX * shareY
        }
        return (0..<frames).flatMap { frame in
            (0..<side * side).flatMap { pixel in
                let grey = level(
                    Double(pixel % side) + 60 - Double(frame) * x, Double(pixel / side) + 60 - Double(frame) * y)
                return [UInt8](repeating: UInt8(min(255, max(0, (128 + 50 * grey) * (frame % 2 == 0 ? 1 : light)))), count: 3)
            }
        }
    }

    /// Motion of whole pixels and of fractions, up to 20 pixels, in both directions of time: within half a pixel nearly everywhere.
    @Test(arguments: [(0.0, 0.0), (3, -2), (-7.5, 4.25), (16, 12), (-20, 0.5)], [1, 0.5]) func movingTexture(
        way: (Double, Double), light: Double
    ) {
        let side = 100, (x, y) = way
        clip(side: side, frames: 2, x: x, y: y, light: light).withUnsafeBytes { clip in
            let matching = BlockMatching(clip, frames: 2, side: side)
            for (from, to, sign) in [(0, 1, 1.0), (1, 0, -1.0)] {
                let flow = matching.flow(from: from, to: to)
                // What moved into the picture, or out of it, is nowhere to be found.
                let inside = (0..<side * side).filter { pixel in
                    let (there, down) = (Double(pixel % side) + sign * x, Double(pixel / side) + sign * y)
                    return (8..<Double(side) - 8).contains(there) && (8..<Double(side) - 8).contains(down)
                }
                let near = inside.count { abs(Double(flow.x[$0]) - sign * x) <= 0.5 && abs(Double(flow.y[$0]) - sign * y) <= 0.5 }
                #expect(Double(near) >= 0.97 * Double(inside.count), "\(near) of \(inside.count) from \(from) to \(to)")
            }
        }
    }

    /// Clips of the synthetic set's scenes, in the middle of their pictures, 16 frames 4 apart; and the exact flow.
    private struct SceneClip {
        static let side = 224, frames = 16
        let scene: Scene
        private(set) var pixels: [UInt8] = []
        private var masks: [[UInt8]] = []
        private var left: Int { (scene.width - Self.side) / 2 }
        private var top: Int { (scene.height - Self.side) / 2 }

        init(_ index: Int) {
            scene = Scene(.training, seed: 11, index: index)
            var renderer = SceneRenderer(scene)
            var picture = [UInt8](repeating: 0, count: scene.width * scene.height * 3)
            for frame in 0..<Self.frames {
                var mask = [UInt8](repeating: 0, count: scene.width * scene.height)
                renderer.render(frame: 4 * frame, into: &picture, mask: &mask)
                masks.append(mask)
                for row in top..<top + Self.side {
                    let first = (row * scene.width + left) * 3
                    pixels += picture[first..<first + Self.side * 3]
                }
            }
        }

        func flow(_ from: Int, _ to: Int) -> OpticalFlow {
            let flow = scene.flow(from: 4 * from, to: 4 * to, mask: masks[from])
            func component(_ offset: Int) -> [Float] {
                (0..<Self.side * Self.side).map { pixel in
                    flow[2 * ((top + pixel / Self.side) * scene.width + left + pixel % Self.side) + offset]
                }
            }
            return OpticalFlow(side: Self.side, x: component(0), y: component(1))
        }
    }

    /// Scenes of little contrast, whose objects move, turn, grow and hide one another under changing light: half the end points within a pixel and a
    /// half in most frames, and nine of ten cubes that are shown are those that the exact flow shows, or next to one. Without flow it is seven.
    @Test func scenes() {
        let (side, places, visible) = (SceneClip.side, 196, 19)
        let motion = MotionMask(frames: SceneClip.frames, side: side, patchSize: 16, tubelet: 2)
        let stillness = OpticalFlow(
            side: side, x: [Float](repeating: 0, count: side * side), y: [Float](repeating: 0, count: side * side))
        /// Visible cubes of a mask that are among another's, or beside one of the same step.
        func count(_ mask: [UInt8], near other: [UInt8]) -> Int {
            mask.indices.count { cube in
                let (first, row, column) = (cube / places * places, cube % places / 14, cube % places % 14)
                return mask[cube] == 0
                    && (0..<places).contains { other[first + $0] == 0 && abs($0 / 14 - row) <= 1 && abs($0 % 14 - column) <= 1 }
            }
        }
        var (errors, estimated, still, total) = ([Double](), 0, 0, 0)
        for index in 0..<6 {
            let clip = SceneClip(index)
            clip.pixels.withUnsafeBytes { pixels in
                let matching = BlockMatching(pixels, frames: SceneClip.frames, side: side)
                for frame in stride(from: 1, to: SceneClip.frames, by: 4) {
                    let (own, exact) = (matching.flow(from: frame, to: frame - 1), clip.flow(frame, frame - 1))
                    let lengths = own.x.indices.map { hypot(Double(own.x[$0] - exact.x[$0]), Double(own.y[$0] - exact.y[$0])) }
                    errors.append(lengths.sorted()[lengths.count / 2])
                }
                let centres = (0..<20).map { ($0 * 37 + 11 * index) % places }
                let exact = motion.mask(centres: centres, visible: visible, flow: clip.flow)
                estimated += count(motion.mask(centres: centres, visible: visible, flow: matching.flow), near: exact)
                still += count(motion.mask(centres: centres, visible: visible) { _, _ in stillness }, near: exact)
                total += visible * 8
            }
        }
        #expect(errors.sorted()[errors.count / 2] < 1.5)
        #expect(Double(estimated) >= 0.88 * Double(total), "\(estimated) of \(total)")
        #expect(Double(still) < 0.75 * Double(total), "\(still) of \(total)")
    }

    /// A picture of one colour tells nothing, and nothing is said to move.
    @Test(arguments: [8, 9, 15, 20, 64]) func aPlainPictureStandsStill(side: Int) {
        [UInt8](repeating: 90, count: 2 * side * side * 3).withUnsafeBytes { clip in
            let flow = BlockMatching(clip, frames: 2, side: side).flow(from: 0, to: 1)
            #expect(flow.x.allSatisfy { $0 == 0 } && flow.y.allSatisfy { $0 == 0 })
        }
    }
}
