import Synthesis
import Testing

/// Data sets of classes: motion that no frame tells, and looks that every frame tells.
@Suite struct SceneClassesTests {
    private static let motion = SceneClasses.motion

    private func scene(_ name: String, index: Int) throws -> Scene {
        let number = try #require(Self.motion.classes.firstIndex(of: name))
        return Scene(Self.motion, class: number, part: .train, seed: 5, index: index)
    }

    /// So nothing that is learnt on first frames can tell classes apart: any rule does as well on one class's frames as on another's.
    @Test func firstFramesDoNotDependOnTheClass() throws {
        for index in 0..<3 {
            let firsts = try Self.motion.classes.map { render(try scene($0, index: index), frame: 0).pixels }
            #expect(firsts.allSatisfy { $0 == firsts[0] })
            let laters = try Self.motion.classes.map { render(try scene($0, index: index), frame: 30).pixels }
            #expect(Set(laters).count == laters.count)
        }
    }

    /// Places and turns of objects and backgrounds are uniform in every frame, so that the other frames do not tell classes either. A share of n uniform
    /// numbers in a quarter of their range is 1/4 with a deviation of sqrt(3 / 16 n).
    @Test(arguments: SceneClasses.motion.classes) func everyFrameIsDistributedAsTheFirst(name: String) throws {
        let scenes = try (0..<50).map { try scene(name, index: $0) }
        for time in [0, 0.7, 2.1] {
            let places = scenes.flatMap { $0.phases(time: time) }
            let deviation = (3.0 / 16 / Double(places.count)).squareRoot()
            for values in [places.map(\.x), places.map(\.y), places.map(\.turn)] {
                let quarters = values.map { Int(($0 + 10).truncatingRemainder(dividingBy: 1) * 4) }
                for quarter in 0..<4 {
                    let share = Double(quarters.count { $0 == quarter }) / Double(places.count)
                    #expect(abs(share - 0.25) < 4.5 * deviation, "\(name) at \(time) s, quarter \(quarter)")
                }
            }
        }
    }

    /// What moves to the right in the picture is called right, and so on.
    @Test func classesMoveAsTheyAreCalled() throws {
        func step(_ name: String) throws -> (x: Double, y: Double, turn: Double) {
            // An object that does not come back at the other side meanwhile.
            let (from, to) = (try scene(name, index: 0).phases(time: 0), try scene(name, index: 0).phases(time: 0.1))
            let number = try #require(from.indices.first { abs(from[$0].x) < 0.3 && abs(from[$0].y) < 0.3 })
            return (to[number].x - from[number].x, to[number].y - from[number].y, to[number].turn - from[number].turn)
        }
        let (right, left, down, up) = try (step("right"), step("left"), step("down"), step("up"))
        #expect(right.x > 0.01 && right.y == 0 && right.turn == 0 && left.x < -0.01 && left.y == 0)
        #expect(down.y > 0.01 && down.x == 0 && up.y < -0.01 && up.x == 0)
        // With y downwards, a growing angle turns clockwise.
        #expect(try step("clockwise").turn > 0.01 && step("counterclockwise").turn < -0.01)
    }

    @Test(arguments: SceneClasses.allCases) func scenesAreAFunctionOfTheirPlace(set: SceneClasses) {
        func pixels(_ part: SceneClasses.Part, _ seed: UInt64, _ index: Int) -> [UInt8] {
            render(Scene(set, class: 1, part: part, seed: seed, index: index), frame: 10).pixels
        }
        #expect(pixels(.train, 1, 0) == pixels(.train, 1, 0))
        #expect(Set([pixels(.train, 1, 0), pixels(.val, 1, 0), pixels(.train, 2, 0), pixels(.train, 1, 1)]).count == 4)
        #expect(set.classes == set.classes.sorted())
    }
}
