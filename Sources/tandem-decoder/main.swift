import Base
import Console
import Dataflow
import Foundation
import Media
import Metrics
import Sampling
import ZeroMQ

runProgram("tandem-decoder") {
    var options = Arguments(
        "tandem-decoder",
        about:
            "Decodes for a batcher, here or on another host, until it is stopped. As many as there are cores may run; they may come and go."
    )
    let connect = options.required("--connect", "ENDPOINT", "the batcher's endpoint, ipc:///PATH or tcp://HOST:PORT")
    let mediaText = options.required(
        "--media", "FOLDER",
        "the videos, as the manifest describes them: a folder, or the http:// or https:// root of a server that has it, vouched for by the "
            + "system's authorities or those of the file that SSL_CERT_FILE names"
    )
    let timeout = options.value(
        "--timeout", "SECONDS", "how long to wait for a batcher, or a server of videos, that is not there; 0: for ever", default: 600.0)
    let keys = options.value("--keys", "FOLDER", "keys for tcp: client.key, and server.pub of the run's machine")
    let memory = options.value("--memory", "MIB", "memory that decoding may take; a video that wants more is replaced", default: 1024)
    let verifiesContent = options.flag(
        "--verify-content",
        "replace videos whose content is not what was prepared, not only those of another size; each is read through for that once")
    let metrics = options.value("--metrics", "[HOST:]PORT", StatusAddress.help)
    if !(1...Int.max >> 20).contains(memory) { options.refuse("--memory wants 1 to \(Int.max >> 20) MiB, not \(memory)") }
    options.finish()
    Interruption.catchSignals()

    let media = MediaRoot(mediaText)
    var isFolder: ObjCBool = false
    guard media.isServer || FileManager.default.fileExists(atPath: mediaText, isDirectory: &isFolder) && isFolder.boolValue else {
        throw Failure("\(mediaText): there is no such folder; --media names the folder that was prepared")
    }
    let log = { @Sendable (line: String) in writeError("\(line)\n") }
    let server = media.isServer ? MediaServer(timeout: timeout, isStopped: { Interruption.isRequested }, log: log) : nil
    /// A media server that cannot be reached is no fault of a video: the decoder ends with an error, and replaces no video.
    func reading<Result>(_ body: () throws(MediaError) -> Result) throws -> Result {
        do { return try body() } catch {
            if error.reason == .serverAway { throw DataflowError("\(error)") }
            throw error
        }
    }
    let reader = PictureReader(media: media, server: server, verifiesContent: verifiesContent)
    let status = DecoderStatus()
    let endpoint = try Endpoint(connect)
    let worker = try DecoderWorker(
        endpoint: endpoint, timeout: timeout, context: Context(keys: keys, connecting: endpoint, log: log), log: log,
        videoExists: { path in try reading { () throws(MediaError) in try media.holds(path, server: server) } },
        readPictures: { record, requests, destination in
            defer { status.framesDecoded.store(reader.costs.framesDecoded, ordering: .relaxed) }
            try reading { () throws(MediaError) in try reader.read(requests, of: record, into: destination) }
        })
    let statusServer = try metrics.map { [counters = worker.counters] address in
        try StatusServer(StatusAddress(address), role: "decoder", report: { status.report(counters) })
    }
    do { try SystemMemory.limit(to: memory << 20) } catch { throw Failure("--memory \(memory): \(error)") }
    Crash.catchSignals()
    try withExtendedLifetime(statusServer) {
        try worker.run(until: {
            status.look(isWorking: worker.counters.isWorking)
            return Interruption.isRequested
        })
    }
}
