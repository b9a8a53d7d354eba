import Autograd
import Compute
import Recipes
import Sampling
import TestBackends
import TestSupport
import Testing
import Training

/// Recipes that learn from views, with a teacher.
@Suite struct ViewRecipeTests {
    private static let position = RunPosition(step: 3, totalSteps: 10, progress: 0.3, epochs: 5, seed: 9)

    /// Outputs for pictures of random numbers, of which some are changed.
    private func outputs(_ recipe: RecipeCase, visible: [Int32], _ change: (_ array: String, inout [Float]) -> Void = { _, _ in }) throws
        -> [String: [Float]]
    {
        let backend = try TestBackend.cpu.open()
        let (model, arena) = (recipe.make(on: backend), Arena(backend: backend))
        let batch = SampleBatch(samples: [5], of: recipe.recipe.value.sampler, arena: arena) { array, images in
            var numbers = TestNumbers.normal(images.count, seed: 7)
            change(array.name, &numbers)
            backend.upload(images, from: numbers)
        } visible: { _ in
            [visible]
        } numbers: { _ in
            [[0.1, -0.2, 0.7, 0.9, 1, 0.6]]
        }
        model.beginStep(Self.position)
        let outputs = model.outputs(of: batch, on: Tape(arena: arena, isRecording: false))
        return Dictionary(uniqueKeysWithValues: outputs.map { ($0.name, arena.numbers(of: $0.value)) })
    }

    /// iBOT's student does not see the hidden patches of a global crop, its teacher does; of a local crop all are seen.
    @Test func whatIBOTsStudentSees() throws {
        // Patch 0 of the first crop is hidden, and patches 3 and 4 of the second.
        let visible = (0..<18).filter { ![0, 12, 13].contains($0) }.map { Int32($0) }
        let before = try outputs(.ibot, visible: visible)
        func changed(_ array: String, _ pixel: Int) throws -> Set<String> {
            let after = try outputs(.ibot, visible: visible) { if $0 == array { $1[pixel] += 1 } }
            return Set(after.keys.filter { after[$0] != before[$0] })
        }
        // The first pixels of patches 0 and 1 of the first crop, of 24 pixels in patches of 8.
        let hidden = try changed("globals", 0), seen = try changed("globals", 8)
        #expect(hidden.contains("teacher.cls") && hidden.isDisjoint(with: ["student.tokens", "student.cls", "local.tokens"]))
        #expect(seen.isSuperset(of: ["teacher.cls", "student.tokens", "student.cls"]))
        let local = try changed("locals", 0)
        #expect(local.isSuperset(of: ["local.tokens", "local.cls"]) && local.isDisjoint(with: ["teacher.cls", "student.tokens"]))
    }

    /// SiameseIM's encoder does not see the hidden patches of the first view, its target is of all of the second.
    @Test func whatSiameseIMSees() throws {
        let before = try outputs(.siameseIM, visible: [1, 2, 5, 8])
        func changed(_ pixel: Int) throws -> Set<String> {
            let after = try outputs(.siameseIM, visible: [1, 2, 5, 8]) { $1[pixel] += 1 }
            return Set(after.keys.filter { after[$0] != before[$0] })
        }
        #expect(try changed(0).isEmpty)
        #expect(try changed(8).isSuperset(of: ["projected", "pred"]) && !changed(8).contains("target"))
        let second = try changed(3 * 24 * 24)
        #expect(second.contains("target") && second.isDisjoint(with: ["projected", "pred", "relative"]))
    }

    /// A teacher begins as its student. Of heads of which the teacher has one and the student two it begins as the second and follows the
    /// first, as the official code does.
    @Test func howTeachersBegin() throws {
        var settings = try #require(RecipeCase.ibot.recipe.value as? IBOT.Settings)
        settings.model.sharesHead = false
        let recipe = AnyRecipe(settings).makeRecipe(seed: 4, precision: .f32, backend: try TestBackend.cpu.open(threads: 1))
        let backend = recipe.parameters.backend
        func student(_ name: String) -> [Float] { backend.download(recipe.parameters.parameter(name).value) }
        func teacher(_ name: String) -> [Float] { backend.download(recipe.state.first { $0.name == "teacher." + name }!.values) }
        for name in ["backbone.blocks.1.mlp.fc1.weight", "backbone.pos_embed", "head.mlp.4.weight"] {
            #expect(teacher(name) == student(name))
        }
        let (first, second) = (student("head.last_layer.weight_v"), student("head.last_layer2.weight_v"))
        #expect(first != second && teacher("head.last_layer.weight_v") == second)
        recipe.teacher!.follow(momentum: 0.75, step: 1)
        let expected = zip(first, second).map { 0.75 * Double($1) + 0.25 * Double($0) }
        #expect(TestNumbers.relativeError(teacher("head.last_layer.weight_v"), expected) < 1e-6)
        // An interrupted step is begun again, and the teacher does not move twice.
        let moved = teacher("head.last_layer.weight_v")
        recipe.teacher!.follow(momentum: 0.75, step: 1)
        #expect(teacher("head.last_layer.weight_v") == moved)
        recipe.teacher!.follow(momentum: 0, step: 2)
        #expect(teacher("head.last_layer.weight_v") == first)
    }

    /// What is left out depends on the sample alone, not on those beside it; of the first block it is nothing.
    @Test func dropPathIsAFunctionOfTheSample() throws {
        let dropPath = DropPath(rate: 0.4, depth: 3)
        func kept(_ samples: [Int], seed: UInt64 = 9) throws -> [[[Bool]]] {
            var position = Self.position
            position.seed = seed
            return try #require(dropPath.keeps(samples: samples, globals: 2, locals: 3, position)).isKept
        }
        let (one, two) = (try kept([17]), try kept([4, 17]))
        for block in 0..<3 {
            for branch in 0..<2 {
                // Global crops of both samples come first.
                let (alone, both) = (one[block][branch], two[block][branch])
                #expect(alone[..<2] == both[2..<4] && Array(alone[2...]) == Array(both[7...]))
            }
        }
        #expect(try kept([4, 17], seed: 10) != two)
        let many = try kept(Array(0..<2000))
        for (block, rate) in [0, 0.2, 0.4].enumerated() {
            for branch in 0..<2 {
                let share = Double(many[block][branch].count { !$0 }) / 10_000
                #expect(abs(share - rate) <= (rate == 0 ? 0 : 0.02), "block \(block): \(share)")
            }
        }
        #expect(DropPath(rate: 0, depth: 3).keeps(samples: [1], globals: 2, locals: 0, Self.position) == nil)
    }

    /// Untrained distributions are neither sharp nor even; a teacher of zeros knows nothing.
    @Test func collapsedTeachersAreNoticed() throws {
        let backend = try TestBackend.cpu.open(threads: 1)
        func measure(_ recipe: any Recipe) throws -> TeacherMeasure {
            recipe.beginStep(Self.position)
            RandomSamples(of: recipe.settings.sampler, count: 4).withBlocks {
                recipe.accumulateGradients($0, addingTo: backend.array(of: Double.self, count: 1), arena: Arena(backend: backend))
            }
            return try #require(recipe.teacherMeasure)
        }
        #expect(try !measure(RecipeCase.ibot.make(on: backend)).isAtAnEnd)
        let even = try measure(RecipeCase.ibot.recipe.value.makeRecipe(precision: .f32, backend: backend))
        #expect(even.isAtAnEnd && abs(even.value - even.range.upperBound) < 1e-5)
        #expect(try !measure(RecipeCase.siameseIM.make(on: backend)).isAtAnEnd)

        var watch = CollapseWatch()
        let (alive, dead) = (TeacherMeasure("entropy", 3, in: 0...7), TeacherMeasure("entropy", 0.01, in: 0...7))
        let told = (0..<350).filter { watch.note($0 == 150 ? alive : dead) }
        #expect(told == [99, 250])
    }
}
