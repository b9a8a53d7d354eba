import Synthesis
import Testing

/// Parts and joints move with the objects that they belong to.
@Suite("Labels") struct LabelsTests {
    /// Parts and mask of one frame.
    private func labels(_ scene: Scene, frame: Int) -> (mask: [UInt8], parts: [UInt8]) {
        var renderer = SceneRenderer(scene)
        let count = scene.width * scene.height
        var pixels = [UInt8](repeating: 0, count: count * 3)
        var mask = [UInt8](repeating: 255, count: count)
        var parts = mask
        renderer.render(frame: frame, into: &pixels, mask: &mask, parts: &parts)
        return (mask, parts)
    }

    @Test("A pixel's part is one of its object's three, all of which are seen", arguments: 0..<4)
    func partsBelongToObjects(index: Int) {
        let scene = Scene(.validation, seed: 4, index: index)
        let (mask, parts) = labels(scene, frame: 0)
        for (id, part) in zip(mask, parts) { #expect(id == 0 ? part == 0 : (Int(part) + 2) / 3 == Int(id)) }
        #expect(Set(parts).filter { (Int($0) + 2) / 3 == scene.objectCount }.count == 3)
        #expect(parts.allSatisfy { $0 < 20 })
    }

    /// The neck, the belly and the face lie on a line through the object's origin, in this order of distances: what no motion changes is that
    /// the belly divides neck and face as it does at rest.
    @Test("Joints keep their places within the object, whatever the motion", arguments: 0..<4)
    func jointsMoveAsOne(index: Int) {
        let scene = Scene(.validation, seed: 4, index: index)
        for frame in [0, 9, scene.frameCount - 1] {
            let joints = scene.joints(frame: frame)
            #expect(joints.count == 15)
            // (neck - belly) / (face - belly) = 16 / 26 under every affine map.
            for (neck, belly, face) in [(joints[0].x, joints[1].x, joints[2].x), (joints[0].y, joints[1].y, joints[2].y)] {
                #expect(abs((neck - belly) * 26 - (face - belly) * 16) < 1e-9)
            }
        }
        #expect(scene.joints(frame: 0)[1].x != scene.joints(frame: 9)[1].x)
    }

    @Test("Joints lie on the frontmost object where the picture shows it", arguments: 0..<6)
    func jointsLieOnTheObject(index: Int) {
        let scene = Scene(.validation, seed: 8, index: index)
        let (mask, _) = labels(scene, frame: 0)
        let inside = scene.joints(frame: 0).filter { (0..<Double(scene.width)).contains($0.x) && (0..<Double(scene.height)).contains($0.y) }
        let hits = inside.count { mask[Int($0.y.rounded(.down)) * scene.width + Int($0.x.rounded(.down))] == scene.objectCount }
        #expect(hits * 10 >= inside.count * 8, "\(hits) of \(inside.count)")
    }

    /// Where a joint's pixel goes is where the joint goes, but for what the object turns and grows between the joint and the pixel's middle.
    @Test("Flow carries pixels as the objects move", arguments: 0..<4)
    func flowFollowsJoints(index: Int) {
        let scene = Scene(.validation, seed: 4, index: index)
        for (from, to) in [(0, 1), (0, 8), (12, 4)] {
            let mask = labels(scene, frame: from).mask, flow = scene.flow(from: from, to: to, mask: mask)
            var compared = 0
            for (here, there) in zip(scene.joints(frame: from), scene.joints(frame: to)) {
                let (x, y) = (Int(here.x.rounded()), Int(here.y.rounded()))
                guard (0..<scene.width).contains(x), (0..<scene.height).contains(y), mask[y * scene.width + x] == scene.objectCount else {
                    continue
                }
                let place = 2 * (y * scene.width + x)
                #expect(abs(Double(flow[place]) - (there.x - here.x)) < 0.3 && abs(Double(flow[place + 1]) - (there.y - here.y)) < 0.3)
                compared += 1
            }
            #expect(compared > 5)
        }
    }
}
