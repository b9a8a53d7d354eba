import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct RoundingTests {
    private func rounded(_ numbers: [Float], _ backend: TestBackend) throws -> [Float] {
        let test = try TestTensors(backend)
        let y = test.undefined([numbers.count], .bf16)
        test.backend.round(y, test.tensor(numbers, [numbers.count]))
        return test.numbers(y)
    }

    @Test(arguments: [1, 7, 45, 200_003], TestBackend.devices) func toTheNearest(count: Int, backend: TestBackend) throws {
        let numbers = TestNumbers.normal(count, seed: 1)
        #expect(try rounded(numbers, backend) == numbers.map(BFloat16.rounded))
    }

    /// Numbers half-way between two neighbours, and the f32 numbers beside them, at every exponent.
    @Test(arguments: TestBackend.devices) func tiesToEven(backend: TestBackend) throws {
        let numbers = (UInt32(0)..<0x7f80).flatMap { upper in
            [0x7fff, 0x8000, 0x8001].flatMap { lower in
                [Float(bitPattern: upper << 16 | lower), Float(bitPattern: 0x8000_0000 | upper << 16 | lower)]
            }
        }
        #expect(try rounded(numbers, backend) == numbers.map(BFloat16.rounded))
    }

    /// By hand, so that the test's own rounding is judged too.
    @Test(
        arguments: [
            (1, 1), (1 + 0x1p-8, 1), (1 + 0x1.8p-7, 1 + 0x1p-6), (1 + 0x1.01p-8, 1 + 0x1p-7), (-1 - 0x1p-8, -1), (0, 0),
            (Float.greatestFiniteMagnitude, .infinity), (-Float.greatestFiniteMagnitude, -.infinity), (0x1.fefffep127, 0x1.fep127),
            (0x1.ffp127, .infinity), (.infinity, .infinity), (-.infinity, -.infinity),
            (Float.leastNonzeroMagnitude, 0), (0x1p-133, 0x1p-133), (0x1p-134, 0), (0x1.8p-133, 0x1p-132), (0x1.fffp-127, 0x1p-126),
        ] as [(Float, Float)], TestBackend.devices) func known(numbers: (number: Float, expected: Float), backend: TestBackend) throws
    {
        let (number, expected) = numbers
        #expect(try rounded([number], backend) == [expected])
        #expect(BFloat16.rounded(number) == expected)
    }

    @Test(arguments: TestBackend.devices) func signsOfZero(backend: TestBackend) throws {
        #expect(try rounded([0, -0.0, -0x1p-140], backend).map(\.sign) == [.plus, .minus, .minus])
    }

    /// Also where the bits that make it one are all in the lower half.
    @Test(
        arguments: [0x7f80_0001, 0xff80_0001, 0x7fff_ffff, 0xffff_ffff, 0x7fc0_0000, 0x7f80_8000, 0xff80_ffff] as [UInt32],
        TestBackend.devices)
    func notANumberStaysOne(bits: UInt32, backend: TestBackend) throws {
        #expect(try rounded([1, Float(bitPattern: bits), 2], backend).map(\.isNaN) == [false, true, false])
    }
}
