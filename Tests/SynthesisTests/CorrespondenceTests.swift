import Synthesis
import Testing

@Suite("Correspondence") struct CorrespondenceTests {
    private let scene = Scene(.validation, seed: 4, index: 1)

    private func masks(upTo frame: Int) -> [[UInt8]] {
        var renderer = SceneRenderer(scene)
        var pixels = [UInt8](repeating: 0, count: scene.width * scene.height * 3)
        return (0...frame).map { frame in
            var mask = [UInt8](repeating: 255, count: scene.width * scene.height)
            renderer.render(frame: frame, into: &pixels, mask: &mask)
            return mask
        }
    }

    @Test("What is seen in the first frame lies there on the same object, where the flow leads", arguments: [1, 8, 30])
    func seenPixelsKeepTheirObject(frame: Int) {
        let masks = masks(upTo: frame)
        let (truth, flow) = (scene.correspondence(from: frame, to: 0, masks: masks), scene.flow(from: frame, to: 0, mask: masks[frame]))
        var seen = 0
        for pixel in masks[frame].indices {
            let region = Correspondence.Region(rawValue: truth.regions[pixel])!
            let displacement = (truth.displacements[2 * pixel], truth.displacements[2 * pixel + 1])
            if region == .unseen {
                #expect(displacement == (Correspondence.unknown, Correspondence.unknown))
                continue
            }
            seen += 1
            #expect(displacement == (flow[2 * pixel], flow[2 * pixel + 1]))
            let x = Int((Float(pixel % scene.width) + 0.5 + displacement.0).rounded(.down))
            let y = Int((Float(pixel / scene.width) + 0.5 + displacement.1).rounded(.down))
            #expect(masks[0][y * scene.width + x] == masks[frame][pixel])
            if region != .afterOcclusion { #expect((region == .object) == (masks[frame][pixel] > 0)) }
        }
        #expect(seen > masks[frame].count / 2)
        #expect(!truth.regions.contains(Correspondence.Region.afterOcclusion.rawValue) || frame > 1)
    }

    @Test("What a frame between hides is seen after an occlusion") func hiddenBetween() {
        let (width, count) = (scene.width, scene.width * scene.height)
        let ground = [UInt8](repeating: 0, count: count)
        // An object over the left half of frame 1 and nowhere else.
        let half = (0..<count).map { UInt8($0 % width < width / 2 ? 1 : 0) }
        let truth = scene.correspondence(from: 2, to: 0, masks: [ground, half, ground])
        let between = scene.flow(from: 2, to: 1, mask: ground)
        var counts = [Correspondence.Region: Int]()
        for pixel in 0..<count {
            let region = Correspondence.Region(rawValue: truth.regions[pixel])!
            counts[region, default: 0] += 1
            let x = Float(pixel % width) + 0.5 + between[2 * pixel], y = Float(pixel / width) + 0.5 + between[2 * pixel + 1]
            let isInside = (0..<Float(width)).contains(x) && (0..<Float(scene.height)).contains(y)
            if region != .unseen { #expect((region == .afterOcclusion) == (!isInside || x < Float(width / 2))) }
        }
        #expect(counts[.afterOcclusion, default: 0] > count / 3 && counts[.background, default: 0] > count / 3)
        #expect(counts[.object] == nil)
    }
}
