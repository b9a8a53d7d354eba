import Compute
import ComputeCPU
import Foundation

/// A backend that the maths suites run on.
///
/// Codable by its name, so that a test that ends its process can take it along.
public struct TestBackend: Codable, Sendable, CustomStringConvertible {
    private let name: String
    private let make: @Sendable (_ threads: Int) throws -> any SimilarityBackend

    /// The processor, with whatever computes products fastest.
    public static let cpu = TestBackend("CPU") { cpuBackend(threads: $0) }
    /// The processor as on a machine where oneDNN cannot serve.
    public static let cpuWithoutOneDNN = TestBackend("CPU without oneDNN") { cpuBackend(threads: $0, usesOneDNN: false) }
    /// Formulas as they stand, in double precision.
    public static let naive = TestBackend("naive") { _ in NaiveBackend() }

    /// All of them, with and without the library that the processor may compute products with. In a process whose kernels are another's to choose,
    /// only the backends that have such.
    public static let all = devices + [cpuWithoutOneDNN]
    /// One for each kind of device.
    public static let devices = told == nil ? [cpu, naive] : [cpu]

    /// All but the CPU, for comparison with it.
    public static let others = Array(all.dropFirst())

    private init(_ name: String, _ make: @escaping @Sendable (_ threads: Int) throws -> any SimilarityBackend) {
        self.name = name
        self.make = make
    }

    public init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        self = Self.all.first { $0.name == name }!
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }

    public var description: String { name }

    /// A fresh backend.
    /// - Parameter threads: where it computes with threads of this process.
    public func open(threads: Int = 2) throws -> any SimilarityBackend { try make(threads) }

    /// A CPU backend, for tests of what only it has: the one place of all tests that makes any.
    ///
    /// - Parameter instructions: nil: what ``instructionsVariable`` says, else the best.
    public static func cpuBackend(
        threads: Int, usesOneDNN: Bool = true, instructions: Int32? = nil
    ) -> CPUBackend {
        guard let instructions = instructions ?? told else { return CPUBackend(threads: threads, usesOneDNN: usesOneDNN) }
        return CPUBackend(threads: threads, usesOneDNN: usesOneDNN, instructions: instructions)
    }

    /// The environment variable by which tests tell another process of tests the instruction set of its kernels.
    public static let instructionsVariable = "TANDEM_TEST_INSTRUCTIONS"
    /// What it says, nil in a process of its own.
    public static let told = ProcessInfo.processInfo.environment[instructionsVariable].flatMap { Int32($0) }
}

/// A way to compute products: where, and in what.
public struct Path: Sendable, CustomStringConvertible {
    public var backend: TestBackend
    public var model: ModelPrecision
    /// Of activations and other operands.
    public var precision: Precision { model.activations }

    public init(_ backend: TestBackend, _ model: ModelPrecision) {
        self.backend = backend
        self.model = model
    }

    /// Each backend in each precision.
    public static let all = paths(TestBackend.all)
    /// Each kind of device in each precision.
    public static let devices = paths(TestBackend.devices)

    private static func paths(_ backends: [TestBackend]) -> [Path] {
        backends.flatMap { backend in ModelPrecision.allCases.map { Path(backend, $0) } }
    }

    public var description: String { "\(model), \(backend)" }
}
