import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct TargetOpTests {
    @Test(arguments: Path.devices) func batchNorm(path: Path) throws {
        let check = try GradientCheck([.variable([7, 9]), .parameter([9]), .parameter([9])], path)
        let y = check.tape.batchNorm(check.variable(0), weight: check.parameter(1), bias: check.parameter(2), epsilon: 1e-5).y
        #expect(y.value.precision == path.precision)
        check.expectAgreement(y, tolerance: 2e-5) { Reference.batchNorm($0[0], weight: $0[1], bias: $0[2], epsilon: 1e-5) }
    }

    @Test(arguments: TestBackend.devices) func branchesThatAreScaled(backend: TestBackend) throws {
        let check = try GradientCheck([.variable([4, 5]), .variable([4, 5])], Path(backend, .f32))
        let scales: [Float] = [0, 1.25, 1.25, 0]
        let y = check.tape.add(check.variable(0), scaledBy: check.tape.arena.tensor(scales, [4]), to: check.variable(1))
        check.expectAgreement(y) { inputs in inputs[0].indices.map { inputs[1][$0] + Double(scales[$0 / 5]) * inputs[0][$0] } }
    }

    /// Weight normalisation, of a parameter as of anything else.
    @Test(arguments: TestBackend.devices) func rowsOfLearnedLength(backend: TestBackend) throws {
        let check = try GradientCheck([.parameter([6, 5]), .parameter([6, 1])], Path(backend, .f32))
        let y = check.tape.unitRows(
            check.tape.variable(check.parameter(0)), gains: check.tape.variable(check.parameter(1)), .f32)
        check.expectAgreement(y) { Reference.unitRows($0[0], width: 5, gains: $0[1]) }
    }

    @Test(arguments: TestBackend.devices) func rowsOfLengthOne(backend: TestBackend) throws {
        let check = try GradientCheck([.variable([6, 5])], Path(backend, .f32))
        check.expectAgreement(check.tape.unitRows(check.variable(0), .f32)) { Reference.unitRows($0[0], width: 5) }
    }

    @Test(arguments: TestBackend.devices) func aProductOfTwoVariables(backend: TestBackend) throws {
        let check = try GradientCheck([.variable([6, 5]), .variable([4, 5])], Path(backend, .f32))
        let y = check.tape.product(check.variable(0), transposed: check.variable(1))
        check.expectAgreement(y) { Reference.product($0[0], Reference.transpose($0[1], columns: 5), inner: 5) }
    }

    @Test(arguments: TestBackend.devices) func rowsThatAreMixed(backend: TestBackend) throws {
        let check = try GradientCheck([.variable([4, 5])], Path(backend, .f32))
        let matrix = TestNumbers.normal(12, seed: 7)
        let y = check.tape.product(check.tape.arena.tensor(matrix, [3, 4]), check.variable(0))
        check.expectAgreement(y) { Reference.product(matrix.doubles, $0[0], inner: 4) }
    }

    /// Rows that are joined, of which some are read twice.
    @Test(arguments: TestBackend.devices) func rowsThatAreJoinedAndTakenApart(backend: TestBackend) throws {
        let check = try GradientCheck([.variable([2, 3]), .variable([3, 3])], Path(backend, .f32))
        let joined = check.tape.joinRows(check.variable(0), check.variable(1))
        let y = check.tape.joinRows(check.tape.rows(joined, 1..<4), check.tape.rows(joined, 3..<5))
        check.expectAgreement(y) { inputs in
            let all = inputs[0] + inputs[1]
            return Array(all[3..<12] + all[9..<15])
        }
    }

    @Test(arguments: TestBackend.devices) func aComputedTableOfPositions(backend: TestBackend) throws {
        let check = try GradientCheck([.variable([4, 3]), .variable([2, 3])], Path(backend, .f32))
        let positions = [1, 0, -1, 1]
        let y = check.tape.positionEmbedding(check.variable(0), table: check.variable(1), positions: check.indices(positions))
        check.expectAgreement(y) { inputs in
            inputs[0].indices.map { index in
                let position = positions[index / 3]
                return inputs[0][index] + (position < 0 ? 0 : inputs[1][position * 3 + index % 3])
            }
        }
    }

    /// In bf16 what products read is rounded, and its gradient is not.
    @Test(arguments: Path.devices) func operands(path: Path) throws {
        let check = try GradientCheck([.variable([4, 3])], path)
        let y = check.tape.operand(check.variable(0), path.precision)
        #expect(y.value.precision == path.precision)
        let gradient = TestNumbers.normal(12, seed: 5)
        y.accumulate(check.tape.arena.tensor(gradient, [4, 3]), check.tape)
        check.tape.backward()
        #expect(check.numbers(check.variable(0).takeGradient()!) == gradient)
    }

    @Test(arguments: TestBackend.devices) func crossEntropy(backend: TestBackend) throws {
        let check = try GradientCheck([.variable([5, 4])], Path(backend, .f32))
        let partners = [0, -1, 1, 2, -1, -1, 2, 0, 1, -1], weights: [Float] = [0.5, 1, 2, 0.25, 0.125]
        let targets = Reference.softmax(
            TestNumbers.normal(12, seed: 3).doubles, centre: [0, 0, 0, 0], temperature: 1)
        let distributions = check.tape.arena.tensor(targets.map { Float($0) }, [3, 4])
        try expectLoss(check) { sum in
            check.tape.crossEntropy(
                addingTo: sum, check.variable(0), targets: distributions, partners: partners.map { Int32($0) }, weights: weights,
                temperature: 0.2)
        } formula: {
            Reference.crossEntropy(
                $0, targets: targets, partners: partners, weights: weights.doubles, temperature: 0.2)
        }
    }

    /// The formula of the paper's dense loss, with its matrix of rows by rows: the diagonal of `p C pᵀ`.
    @Test(arguments: TestBackend.devices) func alignment(backend: TestBackend) throws {
        let (rows, width) = (6, 4)
        let check = try GradientCheck([.variable([rows, width])], Path(backend, .f32))
        let target = TestNumbers.normal(rows * width, seed: 9)
        try expectLoss(check) { sum in
            check.tape.alignmentLoss(
                addingTo: sum, check.variable(0), target: check.tape.arena.tensor(target, [rows, width]), weight: 0.5, scale: 0.25)
        } formula: { p in
            let t = target.doubles
            // All products of predictions with targets: |p · t|² averaged over the targets is pᵀ C p.
            let products = Reference.product(p, Reference.transpose(t, columns: width), inner: width)
            let negative = products.reduce(0) { $0 + $1 * $1 } / Double(rows)
            let positive = zip(p, t).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return 0.25 * (positive + 0.5 * negative) / Double(rows * width)
        }
    }

    /// A loss of one variable, and its gradient beside finite differences.
    private func expectLoss(
        _ check: GradientCheck, _ add: (DeviceArray<Double>) -> Void, formula: ([Double]) -> Double
    ) throws {
        let sum = check.tape.backend.array(of: Double.self, count: 1)
        add(sum)
        let numbers = check.numbers(check.variable(0).value).doubles
        #expect(abs(check.tape.backend.download(sum)[0] / formula(numbers) - 1) < 1e-6)
        check.tape.backward()
        let expected = numbers.indices.map { element in
            var (above, below) = (numbers, numbers)
            above[element] += 1e-5
            below[element] -= 1e-5
            return (formula(above) - formula(below)) / 2e-5
        }
        #expect(TestNumbers.relativeError(check.numbers(check.variable(0).takeGradient()!), expected) < 1e-5)
    }
}
