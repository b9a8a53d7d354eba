import Console
import Dataflow
import Foundation
import Media
import Sampling

runProgram("tandem-decoder") {
    var options = Arguments(
        "tandem-decoder",
        about:
            "Decodes for a batcher, here or on another host, until it is stopped. As many as there are cores may run; they may come and go."
    )
    let connect = options.required("--connect", "ENDPOINT", "the batcher's endpoint, ipc:///PATH or tcp://HOST:PORT")
    let media = options.required("--media", "FOLDER", "the folder of videos, as the manifest describes it")
    let patience = options.value("--patience", "SECONDS", "how long to wait for a batcher that is not there; 0: for ever", default: 60.0)
    options.finish()

    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: media, isDirectory: &isFolder), isFolder.boolValue else {
        throw Failure("\(media): there is no such folder; --media names the folder that was prepared")
    }
    let reader = PictureReader(folder: media)
    var hasRead = false
    let worker = try DecoderWorker(
        endpoint: Endpoint(connect), patience: patience, log: { writeError("\($0)\n") },
        readPictures: { record, views, size, destination in
            // Later, a file that is gone is bad data; from the start, it is the wrong folder, and not the videos' fault.
            if !hasRead, !FileManager.default.fileExists(atPath: media + "/" + record.path) {
                throw DataflowError(
                    "\(media)/\(record.path) is missing, but the manifest lists it: --media must name the folder that was prepared")
            }
            try reader.read(views, of: record, size: size, into: destination)
            hasRead = true
        })
    Interruption.catchSignals()
    try worker.run(until: { Interruption.isRequested })
}
