// Disturbs a run for a set time by every means at hand, and proves that nothing came of it: the log of samples and the weights are those
// of the undisturbed run, bit for bit. `make chaos` builds and runs it. Everything happens in one folder, which a failure leaves behind.

import Base
import Console
import Foundation
import Sampling

enum Mode: String, CaseIterable, LosslessStringConvertible {
    /// A minute of faults, for every change.
    case short
    /// As many minutes as are asked for.
    case soak
    /// A run on several hosts, each fault of the network between them.
    case network

    init?(_ description: String) { self.init(rawValue: description) }
    var description: String { rawValue }
}

runProgram("chaos") {
    var options = Arguments(
        "chaos",
        about:
            "Kills, stops, restarts and misleads the processes of a small run, and compares its samples and weights with the undisturbed run."
    )
    let mode = options.value(
        "--mode", "short|soak|network", "a minute or some of faults, or a run on several hosts whose network fails", default: Mode.short)
    let minutes = options.value("--minutes", "N", "of disturbance, for soak", default: 10.0)
    let seed = options.value("--seed", "N", "of the faults and of the run", default: UInt64(1))
    let folder = options.value("--folder", "FOLDER", "where everything happens; what is there is removed", default: "chaos")
    let trainers = options.value("--trainers", "1|2|4", "that share the steps, by MPI", default: 1)
    let rate = options.value("--rate", "N", "messages a second that the hostile client sends", default: 1000)
    let hostile = options.value(
        "--hostile", "ENDPOINT", "be the hostile client, with its tap there; used by this program itself", default: "")
    let twin = options.value("--twin", "ID", "be a decoder of this identity; used by this program itself", default: UInt64(0))
    let connect = options.value("--connect", "ENDPOINT", "with --hostile and --twin: the batcher", default: "")
    let keys = options.value("--keys", "FOLDER", "with --hostile and --twin: keys for tcp")
    let media = options.value("--media", "FOLDER", "with --twin: the videos", default: "")
    let tally = options.value("--tally", "FILE", "with --hostile: where it counts", default: "")
    let wire = options.value("--wire", "NAMESPACES", "be the network between these; used by this program itself", default: "")
    if ![1, 2, 4].contains(trainers) { options.refuse("--trainers wants 1, 2 or 4") }
    options.finish()

    if !wire.isEmpty { return try Wire(namespaces: wire.split(separator: ",").map(String.init), seed: seed).run() }
    if !hostile.isEmpty {
        return try Hostile(endpoint: connect, tap: hostile, keys: keys, seed: seed, tally: tally).run(rate: rate)
    }
    if twin != 0 { return try runTwin(identity: twin, endpoint: connect, keys: keys, media: media) }

    Interruption.catchSignals()
    let path = URL(fileURLWithPath: folder).path
    let seconds = mode == .short ? 60 : minutes * 60
    var stage = Stage(folder: path, seed: seed, trainers: trainers)
    do {
        if mode == .network { stage.network = try Network(seed: seed) }
    } catch {
        return writeError("chaos: skipped: no network of namespaces can be made here: \(error)\n")
    }
    defer { _ = stage.network?.remove() }
    do {
        try Performance(stage: stage, seconds: seconds, hostileRate: rate).run()
    } catch {
        throw Failure("seed \(seed): \(error)\neverything is kept in \(path)")
    }
}
