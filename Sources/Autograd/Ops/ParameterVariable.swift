import Compute

extension Tape {
    /// A parameter as an op's input like any other. Backward: its gradient is added to the parameter's.
    public func variable(_ parameter: Parameter) -> Variable {
        let x = Variable(parameter.value)
        record(addingTo: [parameter]) { tape in
            if let dx = x.takeGradient() { tape.backend.add(parameter.gradient, dx) }
        }
        return x
    }
}
