import Dataflow
import Foundation
import Sampling

/// Records of videos that need not exist.
func videoRecords(_ count: Int) -> [VideoRecord] {
    (0..<count).map { index in
        VideoRecord(
            path: "class/video-\(index).mp4", bytes: 1000 + index, width: 340, height: 256, timeBase: Rational(1, 15_360),
            timestamps: .even(start: 0, step: 512, count: 150 + index), keyFrames: [0, 100], contentHash: String(repeating: "a", count: 32))
    }
}

/// The manifest of forty such videos.
let manifest = try! {
    // What is mapped stays when its name goes.
    let path = FileManager.default.temporaryDirectory.path + "/tandem-\(UUID().uuidString).tandem"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var writer = try ManifestWriter(path: path)
    for record in videoRecords(40).sorted(by: { $0.path < $1.path }) { try writer.append(record) }
    return try writer.finish()
}()

func planIdentity(seed: UInt64 = 3, imageSize: Int = 32, replicas: Int = 2) -> PlanIdentity {
    PlanIdentity(
        manifestHash: manifest.identity, seed: seed,
        sampler: AnySampler(
            FramePairSampler {
                $0.sampling.imageSize = imageSize
                $0.patchSize = 8
                $0.mask.ratio = 0.75
                $0.sampling.repeatedSampling = replicas
            }))
}

/// An ipc endpoint that no other test uses.
func freshEndpoint() throws -> Endpoint {
    try Endpoint("ipc://\(FileManager.default.temporaryDirectory.path)/tandem-\(UUID().uuidString.prefix(8))")
}
