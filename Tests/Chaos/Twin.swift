import Console
import Dataflow
import Media
import Sampling

/// A real decoder under an identity that is given, so that there can be two of one.
func runTwin(identity: UInt64, endpoint: String, keys: String?, media: String) throws {
    let endpoint = try Endpoint(endpoint)
    let log = { @Sendable (line: String) in writeError("\(line)\n") }
    let reader = PictureReader(media: MediaRoot(media))
    let worker = try DecoderWorker(
        endpoint: endpoint, id: identity, timeout: 0, context: .init(keys: keys, connecting: endpoint, log: log), log: log,
        readPictures: { record, requests, destination in try reader.read(requests, of: record, into: destination) })
    Interruption.catchSignals()
    try worker.run(until: { Interruption.isRequested })
}
