import Compute
import Foundation
import Training

/// The centres that a teacher's numbers are taken around: moving averages of their means over a step, one for CLS and one for patches.
///
/// Source: bytedance/ibot main_ibot.py, `iBOTLoss`.
final class Centres {
    private let cls, patches: Tensor
    /// What the step under way adds, share by share.
    private let clsSum, patchSum: Tensor
    /// The mean entropy of the teacher's distributions of CLS, of the step under way.
    private let entropy: Tensor
    private let backend: any Backend

    /// The share of a centre that a step leaves.
    private static let keeping = 0.9

    init(outputs: Int, patchOutputs: Int, backend: any Backend) {
        self.backend = backend
        (cls, clsSum) = (backend.tensor([outputs]), backend.tensor([outputs]))
        (patches, patchSum) = (backend.tensor([patchOutputs]), backend.tensor([patchOutputs]))
        entropy = backend.tensor([1])
    }

    var stepSums: [Tensor] { [clsSum, patchSum, entropy] }

    /// Notes the numbers of some samples, a share of the step's: those of CLS, and the mean of the patches'.
    func note(cls: Tensor, patchMean: Tensor, share: Float, _ arena: Arena) {
        arena.backend.add(clsSum, arena.mean(ofRows: cls, share: share))
        arena.backend.add(patchSum, arena.mean(ofRows: patchMean, share: share))
    }

    /// The softmax of numbers of CLS around their centre.
    func distributions(ofCLS logits: Tensor, _ temperature: Double, share: Float, _ arena: Arena) -> Tensor {
        let (distributions, entropies) = softmax(logits, cls, temperature, arena)
        arena.backend.add(entropy, arena.mean(ofRows: entropies.reshaped([entropies.count, 1]), share: share))
        return distributions
    }

    /// The same of patches.
    func distributions(ofPatches logits: Tensor, _ temperature: Double, _ arena: Arena) -> Tensor {
        softmax(logits, patches, temperature, arena).distributions
    }

    private func softmax(
        _ logits: Tensor, _ centre: Tensor, _ temperature: Double, _ arena: Arena
    ) -> (distributions: Tensor, entropies: Tensor) {
        let (distributions, entropies) = (arena.tensor(logits.shape), arena.tensor([logits.rows]))
        arena.backend.centredSoftmax(distributions, entropies: entropies, logits, centre: centre, temperature: temperature)
        return (distributions, entropies)
    }

    /// Moves the centres by the step's means.
    func finishStep() {
        backend.blend(cls, clsSum, keeping: Self.keeping)
        backend.blend(patches, patchSum, keeping: Self.keeping)
    }

    /// What the step under way will make of the centres, as fixtures name them.
    func next(_ arena: Arena) -> [(name: String, value: Tensor)] {
        [("center", cls, clsSum), ("center2", patches, patchSum)].map { name, centre, sum in
            let next = arena.tensor(centre.shape)
            backend.copy(next, centre)
            backend.blend(next, sum, keeping: Self.keeping)
            return (name, next)
        }
    }

    /// The mean entropy of the teacher's distributions of CLS, in the step under way so far: 0 where each is sure of one number, the logarithm
    /// of their count where none knows anything.
    var measure: TeacherMeasure {
        TeacherMeasure("teacher_entropy", Double(backend.download(entropy)[0]), in: 0...log(Double(cls.count)))
    }

    var state: [StateArray] { [StateArray("center", cls), StateArray("center2", patches)] }
}
