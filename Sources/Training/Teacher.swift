import Autograd
import Compute

/// A network whose weights follow those of another, its student, as a moving average; the optimizer does not move it.
public final class Teacher {
    /// Its own parameters, under the names of the student's.
    public let parameters: ParameterStore
    private let prefix: String
    private let pairs: [(own: Parameter, student: Parameter)]
    private let sources: [(own: Parameter, student: Parameter)]
    /// Steps that it has followed, one number.
    private let steps: Tensor

    /// - Parameters:
    ///   - prefix: what stands in front of its names in checkpoints.
    ///   - student: each parameter of the teacher that it has too is followed.
    ///   - origins: of a teacher's parameter, by its name, the student's that it begins as, where that is not the one it follows.
    public init(_ parameters: ParameterStore, prefix: String, following student: ParameterStore, origins: [String: String] = [:]) {
        (self.parameters, self.prefix) = (parameters, prefix)
        func pairs(_ name: (String) -> String) -> [(own: Parameter, student: Parameter)] {
            parameters.entries.compactMap { entry in
                student.entry(name(entry.name)).map { (parameters.parameter(entry.name), student.parameter($0.name)) }
            }
        }
        self.pairs = pairs { $0 }
        sources = pairs { origins[$0] ?? $0 }
        steps = parameters.backend.tensor([])
    }

    /// Takes over the student's weights, as a training begins.
    public func begin() {
        for (own, student) in sources { parameters.backend.copy(own.value, student.value) }
        parameters.refreshOperands()
    }

    /// `weights = momentum · weights + (1 − momentum) · student's`, once for each step of a run.
    ///
    /// - Parameter step: the step's number, counted from 1.
    public func follow(momentum: Double, step: Int) {
        guard parameters.backend.download(steps)[0] < Float(step) else { return }
        parameters.backend.fill(steps, Float(step))
        for (own, student) in pairs { parameters.backend.blend(own.value, student.value, keeping: momentum) }
        parameters.refreshOperands()
    }

    /// Its weights, which a training continues from.
    public var state: [StateArray] {
        parameters.entries.map { StateArray(prefix + $0.name, parameters.parameter($0.name).value) }
            + [StateArray(prefix + "steps", steps, isCount: true)]
    }
}
