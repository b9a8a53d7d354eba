import Synthesis
import Testing

@Suite("Scenes") struct SceneTests {
    @Test("A scene is a pure function of purpose, seed and index", arguments: [Scene.Purpose.training, .validation])
    func repeats(purpose: Scene.Purpose) {
        let first = render(Scene(purpose, seed: 3, index: 2), frame: 17)
        #expect(first == render(Scene(purpose, seed: 3, index: 2), frame: 17))
        #expect(first != render(Scene(purpose, seed: 4, index: 2), frame: 17))
        #expect(first != render(Scene(purpose, seed: 3, index: 1), frame: 17))
    }

    @Test("A frame does not depend on the frames drawn before it")
    func drawsInAnyOrder() {
        var renderer = SceneRenderer(Scene(.validation, seed: 9, index: 0))
        let forwards = (0..<4).map { renderer.frame($0 * 9) }
        let backwards = (0..<4).reversed().map { renderer.frame($0 * 9) }
        #expect(forwards == Array(backwards.reversed()))
    }

    @Test("Training and validation are different scenes")
    func purposesDiffer() {
        let training = render(Scene(.training, seed: 5, index: 0), frame: 0)
        let validation = render(Scene(.validation, seed: 5, index: 0), frame: 0)
        #expect(training.pixels != validation.pixels)
    }

    @Test("Training videos take 3 to 10 s, landscape and portrait; sequences 30 to 60 frames, landscape")
    func sizes() {
        let training = (0..<12).map { Scene(.training, seed: 1, index: $0) }
        #expect(training.allSatisfy { (90...300).contains($0.frameCount) })
        #expect(training.allSatisfy { min($0.width, $0.height) == 256 && max($0.width, $0.height) == 340 })
        #expect(training.contains { $0.width < $0.height } && training.contains { $0.width > $0.height })
        let validation = (0..<6).map { Scene(.validation, seed: 1, index: $0) }
        #expect(validation.allSatisfy { (30...60).contains($0.frameCount) && $0.width == 340 && $0.height == 256 })
    }

    @Test("Every validation object is in sight in the first frame, and no other id occurs", arguments: 0..<8)
    func objectsAreVisible(index: Int) {
        let scene = Scene(.validation, seed: 2, index: index)
        #expect((2...4).contains(scene.objectCount))
        let first = render(scene, frame: 0)
        for id in 1...scene.objectCount {
            #expect(first.mask.count { $0 == id } >= scene.width * scene.height / 100)
        }
        let last = render(scene, frame: scene.frameCount - 1)
        #expect(last.mask.allSatisfy { $0 <= scene.objectCount })
    }

    @Test("Pixels of the mask belong to the object: they change with it, and only they do", arguments: 0..<4)
    func masksAreExact(index: Int) {
        let scene = Scene(.validation, seed: 6, index: index)
        let whole = render(scene, frame: 10)
        for id in 1...scene.objectCount {
            let without = render(scene.without(object: id), frame: 10)
            var wrong = 0
            for at in whole.mask.indices {
                let (now, then) = (whole.mask[at], without.mask[at])
                // Behind the object, only what lies lower can come to light; elsewhere nothing changes but the numbers.
                let agrees = now == id ? then < id : then == (now > id ? now - 1 : now)
                if !agrees { wrong += 1 }
            }
            #expect(wrong == 0, "object \(id)")
        }
    }
}

/// One drawn frame.
struct DrawnFrame: Equatable {
    var pixels: [UInt8]
    var mask: [UInt8]
}

extension SceneRenderer {
    mutating func frame(_ number: Int) -> DrawnFrame {
        let count = scene.width * scene.height
        var drawn = DrawnFrame(pixels: Array(repeating: 0, count: count * 3), mask: Array(repeating: 255, count: count))
        render(frame: number, into: &drawn.pixels, mask: &drawn.mask)
        return drawn
    }
}

func render(_ scene: Scene, frame: Int) -> DrawnFrame {
    var renderer = SceneRenderer(scene)
    return renderer.frame(frame)
}
