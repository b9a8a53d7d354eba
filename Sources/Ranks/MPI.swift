import Base
import Foundation

/// Ranks that an MPI launcher started, by the library that `make mpi` has built for the MPI of this site. One thread at a time makes calls.
public final class MPI: Ranks {
    public let rank: Int
    public let count: Int
    /// Ranks on this host.
    public let onHost: Int
    /// The library's own words about itself, on one line.
    public let summary: String
    private let functions: Functions

    /// Where the library is, unless `TANDEM_MPI` names another: beside the programs.
    public static func libraryPath(beside programs: String) -> String {
        ProcessInfo.processInfo.environment["TANDEM_MPI"] ?? programs + "/tandem-mpi.so"
    }

    /// How many ranks a launcher says it has started, of which this process is one; nil where none has.
    ///
    /// Throws where Slurm has started several processes without a word about MPI: each would take itself for the only one.
    public static func launched(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws(Failure) -> Int? {
        // Open MPI; MPICH, Intel MPI and Slurm's pmi2; Slurm with PMIx.
        if let count = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"].lazy.compactMap({ environment[$0].flatMap { Int($0) } }).first { return count }
        if environment["PMIX_RANK"] != nil { return environment["SLURM_NTASKS"].flatMap { Int($0) } ?? 1 }
        if let tasks = environment["SLURM_STEP_NUM_TASKS"].flatMap({ Int($0) }), tasks > 1 {
            throw Failure(
                "srun has started \(tasks) processes without MPI: start them by 'srun --mpi=pmi2' for MPICH, 'srun --mpi=pmix' for Open MPI"
            )
        }
        return nil
    }

    /// The words that have a program started as some ranks on this machine, by the MPI that the library was built for.
    public static func launcher(of count: Int, library path: String) throws(Failure) -> [String] {
        // Open MPI refuses the superuser, whom a container may have no other than, and more ranks than cores; and it binds ranks to cores, of
        // which decoders know nothing. MPICH does as it is told.
        let settings = [
            "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "OMPI_MCA_rmaps_base_oversubscribe=1",
            "OMPI_MCA_hwloc_base_binding_policy=none", "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe",
            "PRTE_MCA_hwloc_default_binding_policy=none",
        ]
        // On one machine memory does for all messages. UCX, by which MPICH sends, also takes TCP where a container forbids reading the memory
        // of others, and with it Debian 12's (1.13.1) does not always come to an end.
        let transports = ProcessInfo.processInfo.environment["UCX_TLS"] == nil ? ["UCX_TLS=shm,self"] : []
        return settings + transports + [String(cString: try Functions(path).launcher()), "-n", "\(count)"]
    }

    /// Joins the ranks that were started together.
    ///
    /// - Parameters:
    ///   - launched: ranks that the launcher speaks of.
    ///   - timeout: seconds after which a rank that does not answer is given up; 0: never.
    public init(library path: String, launched: Int, timeout: Double) throws(Failure) {
        let functions = try Functions(path)
        var (rank, count, onHost) = (Int32(0), Int32(0), Int32(0))
        var name = [CChar](repeating: 0, count: 256)
        guard functions.open(&rank, &count, &onHost, &name) == 0 else { throw Failure("MPI cannot start: \(functions.problem)") }
        (self.rank, self.count, self.onHost) = (Int(rank), Int(count), Int(onHost))
        summary =
            String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: "\n").first
            .map { $0.replacing("\t", with: " ").onOneLine } ?? ""
        self.functions = functions
        functions.setTimeout(timeout)
        guard self.count == launched else {
            throw Failure(
                "\(launched) trainers were started together, and MPI finds \(count): \(path) was built for \(summary), and something else"
                    + " started them. Start them by \(String(cString: functions.launcher())), or 'srun --mpi=pmi2' for MPICH and 'srun --mpi=pmix' for Open MPI; or build it again:"
                    + " make mpi MPICC=NAME, by the compiler of that MPI"
            )
        }
    }

    public func exchange(
        sending sent: UnsafeRawBufferPointer, to: Int?, receiving received: UnsafeMutableRawBufferPointer, from: Int?
    ) throws {
        let status = functions.exchange(
            sent.baseAddress, sent.count, to.map { Int32($0) } ?? -1, received.baseAddress, received.count, from.map { Int32($0) } ?? -1)
        guard status == 0 else { throw Failure("rank \(rank) cannot reach the others: \(functions.problem)") }
    }

    /// MPI's own sum of all ranks' numbers, in place, at every rank: what an exchange is measured by. Its last bits depend on the number of ranks.
    public func addUp(_ numbers: UnsafeMutablePointer<Float>, count: Int) throws {
        guard functions.addUp(numbers, count) == 0 else { throw Failure("rank \(rank) cannot reach the others: \(functions.problem)") }
    }

    /// Leaves, once all ranks do.
    public func close() { _ = functions.close() }
}

/// What `tandem-mpi.c` defines.
private struct Functions {
    typealias Open =
        @convention(c) (
            UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<CChar>
        ) -> Int32
    typealias Exchange = @convention(c) (UnsafeRawPointer?, Int, Int32, UnsafeMutableRawPointer?, Int, Int32) -> Int32

    let open: Open
    let exchange: Exchange
    let addUp: @convention(c) (UnsafeMutablePointer<Float>, Int) -> Int32
    let close: @convention(c) () -> Int32
    let setTimeout: @convention(c) (Double) -> Void
    let launcher: @convention(c) () -> UnsafePointer<CChar>
    private let error: @convention(c) () -> UnsafePointer<CChar>

    /// The version of `tandem-mpi.c`.
    private static let version: Int32 = 1

    init(_ path: String) throws(Failure) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(
                "\(path) is missing, by which trainers reach one another: install MPI (apt: mpich, or libopenmpi-dev), then 'make mpi'")
        }
        // Global, for Open MPI loads parts of itself that want its names.
        guard let library = dlopen(path, RTLD_NOW | RTLD_GLOBAL) else {
            throw Failure("\(path) cannot be loaded: \(String(cString: dlerror())); build it again for the MPI of this machine: make mpi")
        }
        func function<Function>(_ name: String, _ type: Function.Type = Function.self) -> Function? {
            dlsym(library, "tandem_mpi_" + name).map { unsafeBitCast($0, to: Function.self) }
        }
        guard let version = function("version", (@convention(c) () -> Int32).self), version() == Self.version,
            let open = function("open", Open.self),
            let exchange = function("exchange", Exchange.self), let close = function("close", (@convention(c) () -> Int32).self),
            let addUp = function("add_up", (@convention(c) (UnsafeMutablePointer<Float>, Int) -> Int32).self),
            let setTimeout = function("set_timeout", (@convention(c) (Double) -> Void).self),
            let launcher = function("launcher", (@convention(c) () -> UnsafePointer<CChar>).self),
            let error = function("error", (@convention(c) () -> UnsafePointer<CChar>).self)
        else { throw Failure("\(path) is of another version of Tandem; build it again: make mpi") }
        (self.open, self.exchange, self.addUp, self.close) = (open, exchange, addUp, close)
        (self.setTimeout, self.launcher, self.error) = (setTimeout, launcher, error)
    }

    var problem: String { String(cString: error()).onOneLine }
}
