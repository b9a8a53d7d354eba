import Compute
import Console
import Dataflow
import Devices
import Metrics

runProgram(EvaluatorOptions.programName) {
    if ClassificationOptions.areWanted {
        let options = ClassificationOptions()
        Interruption.catchSignals()
        return try ClassificationEvaluation(options).run()
    }
    let options = EvaluatorOptions()
    Interruption.catchSignals()
    if case .folder(let folder) = options.source {
        return try FolderWatch(folder, options).run()
    }
    guard case .trainer(let endpoint) = options.source else { return try OneEvaluation(options).run() }

    let status = EvaluatorStatus()
    let statusServer = try options.metrics.map { [board = status.board] address in
        try StatusServer(StatusAddress(address), role: "evaluator", report: { board.newest })
    }
    let evaluator = try BesideTraining(
        endpoint: Endpoint(endpoint), root: options.root.map { (options.benchmark, $0) }, output: options.output,
        backend: Device.cpu.makeBackend(threads: max(1, options.threads)),
        timeout: options.timeout, keys: options.keys, progressStyle: options.progressStyle, status: status)
    try withExtendedLifetime(statusServer) { try evaluator.run() }
}
