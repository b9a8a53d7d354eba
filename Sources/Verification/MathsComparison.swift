import Autograd
import Base
import Compute
import Recipes
import Training

/// How far Tandem's maths is from a fixture: outputs, loss, every gradient, the losses of ten steps, and the parameters after them.
///
/// A key's bias does not change a softmax: its gradient is zero in exact arithmetic, and rounding noise in any other. Those rows of a bias
/// are therefore measured by the gradient of the whole bias, that of a bias of keys alone by the largest of all gradients, and left out of the parameters after the steps, where AdamW has blown the noise
/// up to whole steps. So it does with the few elements whose first gradient happens to be less than a millionth of their tensor's largest:
/// those are left out too, and counted. (Without that, PyTorch's float32 is beyond the tolerance from its float64 in one file of thirty.)
public struct MathsComparison {
    /// One tensor or number, and its error.
    public struct Deviation: Equatable, Sendable {
        /// The array's name in the fixture, or the step of a loss.
        public let name: String
        public let error: Double
    }

    /// Deviations of one kind, and what they may be.
    public struct Group: Sendable {
        public let name: String
        public let deviations: [Deviation]
        /// The largest error that is accepted, nil where none is refused.
        public let tolerance: Double?
        /// Elements that were left out as rounding noise.
        public var omittedCount = 0

        /// The largest deviation.
        public var worst: Deviation { deviations.max { $0.error < $1.error }! }
        /// Whether all deviations are accepted.
        public var isWithin: Bool { tolerance.map { worst.error <= $0 } ?? true }
    }

    /// All that was compared.
    public let groups: [Group]
    /// Whether all of it is accepted.
    public var isWithin: Bool { groups.allSatisfy(\.isWithin) }

    /// Runs a fixture: a forward pass, a backward pass, and as many steps as there are reference losses.
    public init(_ fixture: MathsFixture, precision: ModelPrecision = .f32, backend: any Backend) throws {
        let tolerances = Tolerances(precision, of: fixture.recipe)
        let run = try Run(fixture, precision, backend)
        let (outputs, loss) = try run.outputsAndLoss()
        let gradients = try run.gradients()
        let (losses, norms) = try run.steps()
        let (parameters, omittedCount) = try run.parametersAfterSteps()
        let state = try run.stateAfterSteps()
        groups =
            [
                Group(name: "outputs", deviations: outputs, tolerance: tolerances.outputs),
                Group(name: "loss", deviations: [loss], tolerance: tolerances.losses),
                Group(name: "gradients", deviations: gradients, tolerance: tolerances.gradients),
                Group(name: "losses of \(losses.count) steps", deviations: losses, tolerance: tolerances.losses),
            ]
            + (norms.isEmpty ? [] : [Group(name: "gradient norms", deviations: norms, tolerance: tolerances.losses)])
            + [
                Group(name: "parameters after", deviations: parameters, tolerance: tolerances.parameters, omittedCount: omittedCount)
            ]
            + (state.isEmpty ? [] : [Group(name: "state after", deviations: state, tolerance: tolerances.parameters)])
    }
}

/// The model of a fixture at work. Its steps change the weights, so that the order of the calls matters.
private struct Run {
    let fixture: MathsFixture
    let recipe: any Recipe
    let parameters: ParameterStore
    let arena: Arena
    let samples: SampleBatch
    let sums: StepSums
    let tolerances: Tolerances

    init(_ fixture: MathsFixture, _ precision: ModelPrecision, _ backend: any Backend) throws {
        self.fixture = fixture
        tolerances = Tolerances(precision, of: fixture.recipe)
        recipe = try fixture.makeRecipe(precision: precision, backend: backend)
        parameters = recipe.parameters
        arena = Arena(backend: backend)
        sums = StepSums(of: recipe)
        samples = try fixture.samples(arena)
        recipe.beginStep(fixture.position(ofStep: 0))
    }

    func outputsAndLoss() throws -> (outputs: [MathsComparison.Deviation], loss: MathsComparison.Deviation) {
        let tape = Tape(arena: arena, isRecording: false)
        let outputs = try recipe.outputs(of: samples, on: tape).map { name, value in try deviation("out." + name, arena.numbers(of: value))
        }
        sums.clear()
        recipe.addLoss(of: samples, share: 1, to: sums.loss, on: tape)
        return (outputs, .init(name: "out.loss", error: try relativeError(sums.read().loss, reference("out.loss")[0])))
    }

    func gradients() throws -> [MathsComparison.Deviation] {
        _ = forwardAndBackward()
        let references = try parameters.entries.map { entry in
            try isFrozen(entry) ? [Float](repeating: 0, count: entry.range.count) : reference("grad." + entry.name)
        }
        let scaleOfZeros = references.map(tolerances.size).max() ?? 0
        return zip(parameters.entries, references).map { entry, reference in
            let own = arena.numbers(of: parameters.parameter(entry.name).gradient)
            let exact = keyBias(entry).count == reference.count ? reference.map { _ in 0 } : reference
            return .init(name: "grad." + entry.name, error: tolerances.error(own, exact, scaleOfZeros: scaleOfZeros))
        }
    }

    func steps() throws -> (losses: [MathsComparison.Deviation], norms: [MathsComparison.Deviation]) {
        let norms = try ["train.norms", "train.grad_norm"].first { fixture.file.entries[$0] != nil }.map(reference) ?? []
        let losses = try reference("train.losses")
        let rates = fixture.file.entries["train.lr"] == nil ? losses.map { _ in 1e-3 } : try reference("train.lr").map(Double.init)
        guard rates.count == losses.count else {
            throw Failure("\(fixture.file.name) is no fixture of the maths: \(rates.count) rates for \(losses.count) losses")
        }
        let optimizer = Optimizer(AdamW(fixture.recipe.training))
        var deviations: (losses: [MathsComparison.Deviation], norms: [MathsComparison.Deviation]) = ([], [])
        for (index, expected) in losses.enumerated() {
            let position = fixture.position(ofStep: index)
            recipe.beginStep(position)
            let reading = forwardAndBackward()
            optimizer.update(
                parameters, recipe.rules, learningRate: rates[index], progress: position.progress,
                gradientSquares: reading.gradientSquares,
                step: index + 1)
            recipe.finishStep()
            deviations.losses.append(.init(name: "step \(index + 1)", error: relativeError(reading.loss, expected)))
            if index < norms.count {
                deviations.norms.append(.init(name: "step \(index + 1)", error: relativeError(reading.gradientNorm, norms[index])))
            }
        }
        return deviations
    }

    func parametersAfterSteps() throws -> (deviations: [MathsComparison.Deviation], omittedCount: Int) {
        var omittedCount = 0
        let deviations = try parameters.entries.map { entry in
            let firstGradient = try isFrozen(entry) ? [0] : reference("grad." + entry.name)
            let noise = 1e-6 * (firstGradient.map(abs).max() ?? 0)
            let keyBias = keyBias(entry)
            // Nothing blows up an exact zero.
            func isNoise(_ index: Int) -> Bool {
                keyBias.contains(index) || (firstGradient.count > index && firstGradient[index] != 0 && abs(firstGradient[index]) < noise)
            }
            omittedCount += firstGradient.indices.count(where: isNoise)
            return try deviation("after." + entry.name, arena.numbers(of: parameters.parameter(entry.name).value)) { !isNoise($0) }
        }
        return (deviations, omittedCount)
    }

    /// Of the state what the fixture tells of; rows of keys' biases are left out as those of parameters.
    func stateAfterSteps() throws -> [MathsComparison.Deviation] {
        try recipe.state.compactMap { part in
            guard let name = fixture.lastName(of: part) else { return nil }
            let keyBias = keyBias(part.name, count: part.values.count)
            let error = tolerances.error(
                arena.numbers(of: part.values), try fixture.numbers(name, shape: part.values.shape), isCompared: { !keyBias.contains($0) })
            return .init(name: name, error: error)
        }
    }

    /// Whether the optimizer never moves a parameter, so that it has no gradient.
    private func isFrozen(_ entry: ParameterStore.Entry) -> Bool { recipe.rules.frozenSteps[entry.name] == .max }

    private func forwardAndBackward() -> StepSums.Reading {
        sums.clear()
        recipe.accumulateGradients(samples, addingTo: sums.loss, arena: arena)
        return sums.read()
    }

    /// The elements of a parameter that are a key's bias.
    private func keyBias(_ entry: ParameterStore.Entry) -> Range<Int> { keyBias(entry.name, count: entry.range.count) }

    private func keyBias(_ name: String, count: Int) -> Range<Int> {
        if name.hasSuffix("attn.k.bias") { return 0..<count }
        if name.hasSuffix("cross_attn.kv.bias") { return 0..<count / 2 }
        return name.hasSuffix("attn.qkv.bias") ? count / 3..<count * 2 / 3 : 0..<0
    }

    private func deviation(
        _ name: String, _ numbers: [Float], isCompared: (Int) -> Bool = { _ in true }
    ) throws -> MathsComparison.Deviation {
        .init(name: name, error: tolerances.error(numbers, try reference(name), isCompared: isCompared))
    }

    private func relativeError(_ number: Double, _ expected: Float) -> Double {
        number.isFinite ? abs(number / Double(expected) - 1) : .infinity
    }

    private func reference(_ name: String) throws -> [Float] {
        let numbers = try fixture.file.floats(name)
        guard !numbers.isEmpty, numbers.allSatisfy(\.isFinite) else {
            throw Failure("\(fixture.file.name) is no fixture of the maths: '\(name)' is empty or not finite")
        }
        return numbers
    }
}
