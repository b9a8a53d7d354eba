import Console
import Dataflow
import Foundation
import Metrics
import Sampling
import ZeroMQ

runProgram("tandem-batcher") {
    var options = Arguments(
        "tandem-batcher",
        about: "Owns the plan of a run: hands tickets to decoders, puts their samples in order, ships batches to the trainer.")
    let path = options.required("--pipeline", "FILE", "the pipeline of the run")
    let overrides = options.values("--set", "KEY=VALUE", "override a key of the pipeline, e.g. seed=1; may stand several times")
    let bind = options.required("--bind", "ENDPOINT", "where to listen, ipc:///PATH or tcp://127.0.0.1:PORT (two more ports follow it)")
    let manifestPath = options.value("--manifest", "FILE", "the manifest; default: the pipeline's")
    let keys = options.value("--keys", "FOLDER", "keys made by 'tandem keys': over tcp those alone may connect whose keys are allowed")
    let isInsecure = options.flag("--insecure", "listen beyond this machine without keys: anybody may connect")
    let memory = options.value("--memory", "MIB", "what this process may take, in MiB; 0: the pipeline's number", default: 0)
    let metrics = options.value("--metrics", "[HOST:]PORT", StatusAddress.help)
    options.finish()
    Interruption.catchSignals()

    // `tandem plan` interprets the pipeline: only the recipes know what it means, and they are not part of this program.
    let answer = try runSibling("tandem", ["plan", path] + overrides.flatMap { ["--set", $0] })
    // `tandem plan` has printed the reason.
    if answer.status != 0 { exit(answer.status) }
    let plan = try JSONDecoder().decode(BatcherPlan.self, from: answer.output)
    let manifest = try Manifest(contentsOf: manifestPath ?? plan.manifest)
    manifest.releasePages()
    let endpoint = try Endpoint(bind)
    let context = try Context(
        keys: keys, isInsecure: isInsecure, listening: endpoint, shouldReload: Hangup.take, log: { writeError("\($0)\n") })
    if context.isGuarded { Hangup.catchSignal() }
    let server = try BatcherServer(
        manifest: manifest, seed: plan.seed, sampler: plan.sampler,
        options: .init(
            endpoint: endpoint, memory: (memory > 0 ? memory : plan.batcherMemory) << 20, processMemory: SystemMemory.resident,
            decoderMemory: plan.decoderMemory << 20, failureLimit: plan.failureLimit),
        context: context,
        log: { writeError("\($0)\n") })
    writeError("\(manifest.count) videos, listening at \(bind)\n")

    var status = BatcherStatus()
    let board = StatusBoard(status.report(server, refusals: 0))
    let statusServer = try metrics.map { try StatusServer(StatusAddress($0), role: "batcher", report: { board.newest }) }
    try withExtendedLifetime(statusServer) {
        try server.run(until: {
            board.update(status.report(server, refusals: context.refusals))
            return Interruption.isRequested
        })
    }
}
