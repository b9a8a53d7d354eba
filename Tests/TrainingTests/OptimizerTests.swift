import Autograd
import Compute
import TestBackends
import Testing
import Training

/// Three steps beside torch.optim.AdamW (2.15) with the rule written out in PyTorch: lr 0.01, betas (.9, .95), decay 0.05.
@Suite struct OptimizerTests {
    private static let token: Set<String> = ["token"]

    private static func rules(_ change: (inout OptimizerRules) -> Void) -> OptimizerRules {
        var rules = OptimizerRules()
        change(&rules)
        return rules
    }

    @Test(
        arguments: [
            (rules { _ in }, [1.9679911136627197, 0.029010167345404625, 0.9694905877113342, -1.0275110006332397, 0.5290248990058899]),
            // torch.nn.utils.clip_grad_norm_ over all three, to 0.5.
            (
                rules { $0.clipping = .global(0.5) },
                [1.967016339302063, 0.02998499386012554, 0.9685158729553223, -1.0284857749938965, 0.5299999713897705]
            ),
            // The same factor for each by itself.
            (
                rules { $0.clipping = .perTensor(0.5) },
                [1.967147707939148, 0.02985372394323349, 0.9685158729553223, -1.0284857749938965, 0.529975414276123]
            ),
            // `grad = None` in the first step: neither decay nor moments, and the bias corrections begin later.
            (
                rules { $0.frozenSteps = ["weight": 1] },
                [1.978144884109497, 0.019855523481965065, 0.9694905877113342, -1.0275110006332397, 0.5290248990058899]
            ),
            (
                rules { $0.finalWeightDecay = 0.4 },
                [1.9610629081726074, 0.028950059786438942, 0.9660564661026001, -1.0239566564559937, 0.5290248990058899]
            ),
            (
                rules { $0.undecayed = token },
                [1.9679911136627197, 0.029010167345404625, 0.9709751009941101, -1.0290249586105347, 0.5290248990058899]
            ),
        ] as [(OptimizerRules, [Float])], TestBackend.devices)
    func stepsAreTorchs(rule: (rules: OptimizerRules, expected: [Float]), on device: TestBackend) throws {
        let backend = try device.open(threads: 1)
        let store = ParameterStore([("weight", [1, 2]), ("token", [1, 2]), ("bias", [2])], backend: backend)
        backend.upload(store.values, from: [2, 0, 1, -1, 0.5, -1.5])
        let optimizer = Optimizer(AdamW())
        let sums = StepSums(of: store)
        for step in 1...3 {
            backend.upload(store.gradients, from: [0.3, -0.2, 0.01, 2, -0.1, 0.4].map { $0 * Float(step) })
            optimizer.update(
                store, rule.rules, learningRate: 0.01, progress: Double(step - 1) / 3, gradientSquares: sums.read().gradientSquares,
                step: step)
        }
        let values = backend.download(store.values)
        for (value, expected) in zip(values, rule.expected) { #expect(abs(value - expected) < 1e-6, "\(values)") }
    }

    @Test func whatIsNeverMovedKeepsItsValuesAndMoments() throws {
        let backend = try TestBackend.cpu.open(threads: 1)
        let store = ParameterStore([("weight", [1, 2]), ("bias", [2])], backend: backend)
        backend.upload(store.values, from: [1, 2, 3, 4])
        backend.upload(store.gradients, from: [1, 1, 1, 1])
        let (optimizer, rules) = (Optimizer(AdamW()), Self.rules { $0.frozenSteps = ["weight": .max] })
        for step in 1...5 { optimizer.update(store, rules, learningRate: 0.1, progress: 0, gradientSquares: [2, 2], step: step) }
        #expect(Array(backend.download(store.values)[..<2]) == [1, 2])
        #expect(Array(backend.download(store.firstMoments)[..<2]) == [0, 0])
        #expect(backend.download(store.values)[2] < 3)
    }
}
