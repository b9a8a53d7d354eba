import Base
import Configuration
import Console
import Dataflow
import Foundation
import Media
import RunLog
import Sampling

/// `tandem serve`: the data half of a pipeline on this machine, for trainers of any kind.
func serve(arguments: [String]) throws {
    var options = Arguments(
        "tandem serve",
        about:
            "Starts and supervises the batcher and decoders of a pipeline, without a trainer: batches for a training loop of your own, by"
            + " the Python package in Sources/Python. Trainers come and go as they like; Ctrl-C ends it.", arguments: arguments)
    let data = DataOptions(&options)
    let path = options.operand("PIPELINE", "the pipeline file")
    options.finish()

    let pipeline = try Pipeline.load(path, overrides: data.overrides)
    try data.check(pipeline, path)
    let folder = "runs/\(pipeline.name)"
    let hold = try RunFolder.holdForStart(folder)
    let effective = try RunFolder.write(pipeline: pipeline.text, in: folder)
    let batcher = data.endpoint(in: folder)
    writeError("serving \(pipeline.name): tandem.Stream(\"\(batcher)\")\n")
    try withExtendedLifetime(hold) {
        try Supervisor(data.roles(pipeline, effective, at: batcher)).run()
    }
}

/// `tandem decoders`: some decoders for a batcher that runs elsewhere.
func runDecoders(arguments: [String]) throws {
    var options = Arguments(
        "tandem decoders",
        about: "Starts decoders that serve a running batcher until they are stopped. They may join and leave at any time.",
        arguments: arguments)
    let endpoint = options.required("--connect", "ENDPOINT", "the batcher's endpoint, e.g. tcp://127.0.0.1:5555")
    let media = options.required(
        "--media", "FOLDER", "the videos, as the manifest describes them: a folder, or the http:// or https:// root of a server")
    let keys = options.value("--keys", "FOLDER", "keys for tcp: client.key, and server.pub of the run's machine")
    let verifiesContent = options.flag(
        "--verify-content", "replace videos whose content is not what was prepared, not only those of another size")
    let count = options.value("--count", "N", "how many decoders", default: ProcessInfo.processInfo.activeProcessorCount)
    options.finish()
    guard (1...1024).contains(count) else { throw Failure("--count \(count): start 1 to 1024 decoders") }
    let shared = (keys.map { ["--keys", $0] } ?? []) + (verifiesContent ? ["--verify-content"] : [])
    try Supervisor(decoderRoles(count: count, endpoint: endpoint, media: media, options: shared)).run()
}

/// What is said of the data half of a pipeline, with a trainer or without.
struct DataOptions {
    let overrides: [String]
    private let endpoint: String?
    private let keys: String?
    private let isInsecure: Bool

    init(_ options: inout Arguments) {
        overrides = options.values("--set", "KEY=VALUE", "override a key of the pipeline, e.g. train.steps=100; may stand several times")
        endpoint = options.value(
            "--bind", "ENDPOINT", "where others reach the batcher, e.g. tcp://127.0.0.1:5555; default: ipc in the run folder")
        keys = options.value("--keys", "FOLDER", "keys made by 'tandem keys', for a tcp endpoint that other machines reach")
        isInsecure = options.flag("--insecure", "listen beyond this machine without keys: anybody may connect")
    }

    var keyOptions: [String] { keys.map { ["--keys", $0] } ?? [] }

    func endpoint(in folder: String) -> String { endpoint ?? "ipc://\(folder)/batcher" }

    /// Refuses an endpoint that wants keys, and a pipeline whose videos cannot be served.
    func check(_ pipeline: Pipeline, _ path: String) throws {
        if let endpoint { try Endpoint(endpoint).requireKeys(isGuarded: keys != nil, isInsecure: isInsecure) }
        guard !pipeline.data.media.isEmpty || !pipeline.data.manifest.isEmpty else {
            throw Failure("\(path): 'data.media' is missing: name the folder of videos, prepared by 'tandem prepare'")
        }
        guard !MediaRoot(pipeline.data.manifestPath).isServer else {
            throw Failure(
                "\(path): data.media is a server: name the manifest too, data.manifest; 'tandem prepare' wrote it into the folder that is served"
            )
        }
        guard FileManager.default.fileExists(atPath: pipeline.data.manifestPath) else {
            throw Failure("\(pipeline.data.manifestPath): there is no manifest; make one with 'tandem prepare \(pipeline.data.media)'")
        }
        let manifest = try Manifest(contentsOf: pipeline.data.manifestPath)
        try manifest.requireFrames(for: pipeline.recipe.value.sampler)
        if let note = try manifest.shortVideosNote(for: pipeline.recipe.value.sampler) { warn(note) }
    }

    /// The batcher and the decoders of a pipeline, which `effective` is the file of, in the order in which they are stopped.
    func roles(_ pipeline: Pipeline, _ effective: String, at endpoint: String) -> [Role] {
        let decoders = decoderRoles(
            count: pipeline.dataflow.decoders, endpoint: endpoint, media: pipeline.data.media,
            options: ["--timeout", "\(pipeline.dataflow.timeout)"] + (pipeline.data.verifyContent ? ["--verify-content"] : []) + keyOptions)
        let batcher = Role(
            name: "batcher", program: "tandem-batcher",
            arguments: ["--pipeline", effective] + keyOptions + ["--bind", endpoint] + (isInsecure ? ["--insecure"] : []),
            restartPolicy: .needed)
        return decoders + [batcher]
    }
}

private func decoderRoles(count: Int, endpoint: String, media: String, options: [String] = []) -> [Role] {
    let arguments = ["--connect", endpoint, "--media", media] + options
    return (0..<count).map { Role(name: "decoder-\($0 + 1)", program: "tandem-decoder", arguments: arguments, restartPolicy: .needed) }
}
