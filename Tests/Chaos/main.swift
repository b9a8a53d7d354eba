// Disturbs a run for a set time by every means at hand, and proves that nothing came of it: the log of samples and the weights are those
// of the undisturbed run, bit for bit. `make chaos` builds and runs it. Everything happens in one folder, which a failure leaves behind.

import Console
import Foundation
import Sampling

enum Mode: String, CaseIterable, LosslessStringConvertible {
    /// A minute of faults, for every change.
    case short
    /// As many minutes as are asked for.
    case soak

    init?(_ description: String) { self.init(rawValue: description) }
    var description: String { rawValue }
}

runProgram("chaos") {
    var options = Arguments(
        "chaos",
        about:
            "Kills, stops, restarts and misleads the processes of a small run, and compares its samples and weights with the undisturbed run."
    )
    let mode = options.value("--mode", "short|soak", "how long", default: Mode.short)
    let minutes = options.value("--minutes", "N", "of disturbance, for soak", default: 10.0)
    let seed = options.value("--seed", "N", "of the faults and of the run", default: UInt64(1))
    let folder = options.value("--folder", "FOLDER", "where everything happens; what is there is removed", default: "chaos")
    let rate = options.value("--rate", "N", "messages a second that the hostile client sends", default: 1000)
    let hostile = options.value(
        "--hostile", "ENDPOINT", "be the hostile client, with its tap there; used by this program itself", default: "")
    let twin = options.value("--twin", "ID", "be a decoder of this identity; used by this program itself", default: UInt64(0))
    let connect = options.value("--connect", "ENDPOINT", "with --hostile and --twin: the batcher", default: "")
    let keys = options.value("--keys", "FOLDER", "with --hostile and --twin: keys for tcp")
    let media = options.value("--media", "FOLDER", "with --twin: the videos", default: "")
    let tally = options.value("--tally", "FILE", "with --hostile: where it counts", default: "")
    options.finish()

    if !hostile.isEmpty {
        return try Hostile(endpoint: connect, tap: hostile, keys: keys, seed: seed, tally: tally).run(rate: rate)
    }
    if twin != 0 { return try runTwin(identity: twin, endpoint: connect, keys: keys, media: media) }

    Interruption.catchSignals()
    let path = URL(fileURLWithPath: folder).path
    let seconds = mode == .short ? 60 : minutes * 60
    let performance = Performance(stage: Stage(folder: path, seed: seed), seconds: seconds, hostileRate: rate)
    do {
        try performance.run()
    } catch {
        throw Failure("seed \(seed): \(error)\neverything is kept in \(path)")
    }
}
