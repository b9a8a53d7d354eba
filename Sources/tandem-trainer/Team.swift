import Base
import Configuration
import Console
import Dataflow
import Foundation
import Ranks
import Training

/// The trainers of a run: what they settle with one another beside the sums of a step. A trainer by itself is one, too.
final class Team {
    let ranks: any Ranks
    /// Which of the run's trainers this is, for its batcher.
    let asking: TrainerRank
    /// Threads that this trainer computes with; 0: one a core.
    let threads: Int
    /// What they are, for the log; nil for a trainer by itself.
    let summary: String?

    /// How a trainer stands at the end of its share of a step, the worse the higher.
    enum Standing: UInt8 {
        case ready
        /// The user asked to stop.
        case stopped
        /// It cannot go on, and says why.
        case failed
    }

    /// Joins the trainers that MPI has started together, if it has.
    ///
    /// - Parameters:
    ///   - threads: that each is to compute with; 0: one a core, shared among those of a host.
    ///   - timeout: seconds after which one that does not answer is given up; 0: never.
    init(threads: Int, timeout: Double) throws {
        let launched = try MPI.launched() ?? 1
        guard launched > 1 else {
            (ranks, asking, self.threads, summary) = (Alone(), TrainerRank(), threads, nil)
            return
        }
        let mpi = try MPI(library: MPI.libraryPath(beside: programFolder), launched: launched, timeout: timeout)
        ranks = mpi
        let run = try mpi.all([UInt64.random(in: .min ... .max)])[0][0]
        asking = TrainerRank(run: run, rank: mpi.rank, of: mpi.count)
        let cores = try Cores(of: mpi)
        self.threads = threads == 0 ? cores.share : threads
        summary = "\(mpi.count) trainers, \(mpi.onHost) on this host with \(self.threads) threads each, by \(mpi.summary)"
    }

    /// Refuses trainers that would not compute the same.
    ///
    /// - Parameter facts: by name, what must be alike; for people. A trainer by itself is not asked for them.
    func requireAlike(_ facts: @autoclosure () -> [(name: String, value: String)]) throws {
        guard ranks.count > 1 else { return }
        let facts = facts()
        let own = facts.map(\.value).joined(separator: "\u{1}")
        let all = try ranks.atFirst(Array(own.utf8)).map { String(decoding: $0, as: UTF8.self).components(separatedBy: "\u{1}") }
        for (rank, other) in all.enumerated() {
            for ((name, value), theirs) in zip(facts, other) where value != theirs {
                throw Failure("the trainers of a run must be alike, and \(name) of rank \(rank) is \(theirs), where rank 0 has \(value)")
            }
        }
        // The others go on once the first one does.
        _ = try ranks.all([UInt8(0)])
    }

    /// A number that two programs seldom share.
    var program: String {
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe"), options: .alwaysMapped) else { return "unreadable" }
        return bytes.withUnsafeBytes { FowlerNollVoHash.value(of: $0) }.hexadecimal
    }

    /// Waits until all trainers are here. Throws where one cannot go on, and `CancellationError` where one was asked to stop.
    func requireReady(_ own: Standing = .ready) throws {
        switch try agree(own) {
        case .ready: break
        case .stopped: throw CancellationError()
        case .failed: throw Failure("another trainer of the run cannot go on; its lines say why")
        }
    }

    /// The worst standing of all, once all are here.
    func agree(_ own: Standing) throws -> Standing {
        guard ranks.count > 1 else { return own }
        return Standing(rawValue: try ranks.all([own.rawValue]).map { $0[0] }.max()!)!
    }

    /// What each trainer has to tell of a step, in order, at the first one.
    func collect(_ lines: String, _ replaced: [Replacement]) throws -> (lines: [String], replaced: [Replacement]) {
        guard ranks.count > 1 else { return ([lines], replaced) }
        let texts = try ranks.atFirst(Array(lines.utf8)).map { String(decoding: $0, as: UTF8.self) }
        let lists = try ranks.atFirst(Replacement.bytes(of: replaced))
        return (texts, try lists.flatMap { bytes in try bytes.withUnsafeBytes { try Replacement.list($0) } })
    }

    /// Leaves, with the others.
    func close() { (ranks as? MPI)?.close() }
}

/// The cores of this host, and the trainers that share them.
private struct Cores {
    /// Cores for each of those that may run on the same ones as this trainer.
    let share: Int

    init(of mpi: MPI) throws {
        let mask = allowedCores()
        // Two hosts may have one name, but no two starts of a machine have one number.
        let host = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
        let own = mask + [host.withUnsafeBytes { FowlerNollVoHash.value(of: $0) }]
        let sharing = try mpi.all(own).count { $0 == own }
        share = max(1, mask.reduce(0) { $0 + $1.nonzeroBitCount } / sharing)
    }
}
