import Compute
import TestBackends
import TestSupport
import Testing

/// NaN and infinity of an input reach the output: wherever the op mixes them in, and nowhere else.
@Suite struct NotFiniteTests {
    /// What is put into an input.
    private static let bad: [Float] = [.nan, .infinity, -.infinity]
    private static let rows = 70, width = 20, out = 9
    /// Where it is put.
    private static let row = 66, column = 17

    /// A case: what kind of products, and which number.
    struct Case: Sendable, CustomStringConvertible {
        var path: Path
        var number: Float

        static let all = NotFiniteTests.bad.flatMap { number in Path.all.map { Case(path: $0, number: number) } }
        var description: String { "\(number), \(path)" }
    }

    /// A matrix with a bad number in it.
    private func spoilt(_ shape: [Int], row: Int, column: Int, _ number: Float, _ precision: Precision, test: TestTensors) -> Tensor {
        var numbers = TestNumbers.normal(shape.reduce(1, *), seed: 1)
        numbers[row * shape.last! + column] = number
        return test.tensor(numbers, shape, precision)
    }

    /// Checks that the elements of `tensor` are not finite exactly where `isBad` says.
    private func expectBad(_ tensor: Tensor, _ what: String, _ test: TestTensors, where isBad: (_ row: Int, _ column: Int) -> Bool) {
        let numbers = test.numbers(tensor)
        let wrong = numbers.indices.first { numbers[$0].isFinite == isBad($0 / tensor.columns, $0 % tensor.columns) }
        #expect(wrong == nil, "\(what), element \(wrong ?? 0): \(numbers[wrong ?? 0])")
    }

    @Test(arguments: Case.all) func products(number: Case) throws {
        let test = try TestTensors(number.path.backend)
        let (precision, rows, width, out) = (number.path.precision, Self.rows, Self.width, Self.out)
        func spoilt(_ shape: [Int], _ row: Int, _ column: Int, _ precision: Precision) -> Tensor {
            self.spoilt(shape, row: row, column: column, number.number, precision, test: test)
        }
        let x = test.normal([rows, width], seed: 2, precision), weight = test.normal([out, width], seed: 3, precision)
        let bias = test.normal([out], seed: 4), dy = test.normal([rows, out], seed: 5, precision)
        let badX = spoilt([rows, width], Self.row, Self.column, precision), badWeight = spoilt([out, width], 5, Self.column, precision)
        let badBias = spoilt([out], 0, 5, .f32), badDY = spoilt([rows, out], Self.row, 5, precision)
        let residual = test.normal([rows, out], seed: 6), badResidual = spoilt([rows, out], Self.row, 5, .f32)

        typealias Place = (Int, Int) -> Bool
        let cases: [(name: String, x: Tensor, weight: Tensor, bias: Tensor, place: Place)] = [
            ("input", badX, weight, bias, { row, _ in row == Self.row }), ("weight", x, badWeight, bias, { _, column in column == 5 }),
            ("bias", x, weight, badBias, { _, column in column == 5 }),
        ]
        for (name, x, weight, bias, place) in cases {
            let y = test.constant(0, [rows, out], precision), derivative = test.constant(0, [rows, out], precision)
            test.backend.linear(y, x, weight: weight, bias: bias)
            expectBad(y, "linear, \(name)", test, where: place)
            test.backend.linearGELU(y, derivative: derivative, x, weight: weight, bias: bias)
            expectBad(derivative, "derivative of GELU, \(name)", test, where: place)
            expectBad(y, "linearGELU, \(name)", test, where: place)
            let sum = test.constant(0, [rows, out])
            test.backend.linearResidual(sum, x, residual: residual, weight: weight, bias: bias)
            expectBad(sum, "linearResidual, \(name)", test, where: place)
        }
        let sum = test.constant(0, [rows, out])
        test.backend.linearResidual(sum, x, residual: badResidual, weight: weight, bias: bias)
        expectBad(sum, "residual", test) { $0 == Self.row && $1 == 5 }

        for (name, dy, weight, place) in [
            ("gradient", badDY, weight, { row, _ in row == Self.row }), ("weight", dy, badWeight, { _, column in column == Self.column }),
        ] as [(String, Tensor, Tensor, Place)] {
            for accumulates in [false, true] {
                let dx = test.constant(0, [rows, width], precision)
                test.backend.linearBackwardInput(dx, dy, weight: weight, accumulates: accumulates)
                expectBad(dx, "linearBackwardInput, \(name)", test, where: place)
            }
        }
        for (name, dy, x, place) in [
            ("gradient", badDY, x, { row, _ in row == 5 }), ("input", dy, badX, { _, column in column == Self.column }),
        ] as [(String, Tensor, Tensor, Place)] {
            let dWeight = test.constant(0, [out, width]), dBias = test.constant(0, [out])
            test.backend.linearBackwardWeight(dWeight, dBias: dBias, dy, x)
            expectBad(dWeight, "linearBackwardWeight, \(name)", test, where: place)
            expectBad(dBias, "bias, \(name)", test) { name == "gradient" && $1 == 5 }
        }
        let product = test.constant(0, [rows, out])
        test.backend.product(product, badX, weight, transposeA: false, transposeB: true)
        expectBad(product, "product", test) { row, _ in row == Self.row }
    }

    @Test(arguments: bad, Path.devices) func elements(number: Float, path: Path) throws {
        let (test, precision) = (try TestTensors(path.backend), path.precision)
        func place(_ row: Int, _ column: Int) -> Bool { row == Self.row && column == Self.column }
        func bad(_ precision: Precision) -> Tensor {
            spoilt([Self.rows, Self.width], row: Self.row, column: Self.column, number, precision, test: test)
        }
        func good(_ precision: Precision) -> Tensor { test.normal([Self.rows, Self.width], seed: 2, precision) }

        let gradient = bad(precision)
        test.backend.multiply(gradient, good(precision))
        expectBad(gradient, "multiply, target", test, where: place)
        let product = good(precision)
        test.backend.multiply(product, bad(precision))
        expectBad(product, "multiply, source", test, where: place)
        let sum = good(.f32)
        test.backend.add(sum, bad(.f32))
        expectBad(sum, "add", test, where: place)
        let rounded = good(.bf16)
        test.backend.round(rounded, bad(.f32))
        expectBad(rounded, "round", test, where: place)
        let selected = good(.f32)
        test.backend.selectRows(selected, bad(precision), sources: test.indices(0..<Self.rows))
        expectBad(selected, "selectRows", test, where: place)
    }

    @Test(arguments: bad, Path.devices) func layerNorm(number: Float, path: Path) throws {
        let (test, precision) = (try TestTensors(path.backend), path.precision)
        let (rows, width) = (Self.rows, Self.width)
        func bad(_ shape: [Int], _ precision: Precision = .f32) -> Tensor {
            spoilt(shape, row: shape.count > 1 ? Self.row : 0, column: Self.column, number, precision, test: test)
        }
        let x = test.normal([rows, width], seed: 2), weight = test.normal([width], seed: 3), bias = test.normal([width], seed: 4)
        let dy = test.normal([rows, width], seed: 5, precision)
        for (name, x, weight, bias, dy) in [
            ("input", bad([rows, width]), weight, bias, dy), ("weight", x, bad([width]), bias, dy), ("bias", x, weight, bad([width]), dy),
            ("gradient", x, weight, bias, bad([rows, width], precision)),
        ] {
            func place(_ row: Int, _ column: Int) -> Bool {
                name == "input" ? row == Self.row : name != "gradient" && column == Self.column
            }
            let y = test.constant(0, [rows, width], precision), statistics = test.constant(0, [rows, 2])
            let dx = test.constant(0, [rows, width]), dWeight = test.constant(0, [width]), dBias = test.constant(0, [width])
            test.backend.layerNorm(y, statistics: statistics, x, weight: weight, bias: bias, epsilon: 1e-6)
            expectBad(y, "output, \(name)", test, where: place)
            test.backend.layerNormBackward(
                dx, dWeight: dWeight, dBias: dBias, dy, x, statistics: statistics, weight: weight, accumulates: false)
            expectBad(dx, "gradient of the input, \(name)", test) { row, _ in
                name == "weight" || (name != "bias" && row == Self.row)
            }
            expectBad(dWeight, "gradient of the weight, \(name)", test) {
                name == "input" || (name == "gradient" && $1 == Self.column)
            }
            expectBad(dBias, "gradient of the bias, \(name)", test) { name == "gradient" && $1 == Self.column }
        }
    }
}
