import Foundation
import Media
import TestSupport
import Testing
import WeightFiles

/// A few synthetic videos and a sequence, prepared, in a folder that goes with its owner.
final class TinyDataSet {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-\(UUID().uuidString)").path

    /// What a run left behind.
    struct Outcome {
        var folder: String
        var output: String
        var sampleLog: String
        var lastCheckpoint: String

        /// Every array of the last checkpoint, by name.
        var arrays: [String: [Float]] {
            get throws {
                let file = try Safetensors(path: lastCheckpoint)
                return try Dictionary(uniqueKeysWithValues: file.entries.keys.map { ($0, try file.floats($0)) })
            }
        }
    }

    /// What follows the encoder in most recipes, and in iBOT.
    static let decoder = "decoderSize: { width: 16, depth: 1, heads: 2 }"
    static let headOfCrops = "headWidth: 16, bottleneck: 8, outputs: 32, patchOutputs: 32"

    /// - Parameter head: what of the model follows the encoder.
    init(head: String = decoder) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try expectSuccess("tandem", ["synthesize", folder, "--seed", "3", "--videos", "3", "--sequences", "1"])
        try expectSuccess("tandem", ["prepare", folder + "/train"])
        try Data(
            """
            {
              name: "tiny",
              data: { media: "\(folder)/train" },
              sampling: { imageSize: 32, repeatedSampling: 4 },
              mask: { ratio: 0.75 },
              model: { size: { patch: 8, width: 24, depth: 1, heads: 2 }, \(head) },
              train: { steps: 6, batch: 8, microBatch: 4, checkpointEvery: 20, threads: 2 },
              evaluation: { size: [64], queue: 2, radius: 4 },
            }
            """.utf8
        ).write(to: URL(fileURLWithPath: folder + "/tiny.json5"))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The manifest that 'tandem prepare' wrote.
    var manifest: String { folder + "/train/" + Preparation.manifestName }

    /// Paths of the videos, ascending.
    var videos: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/train")) ?? []
        return names.filter { $0.hasSuffix(".mp4") }.sorted().map { folder + "/train/" + $0 }
    }

    /// A working directory inside, made where it is missing.
    func makeFolder(_ name: String) throws -> String {
        let path = folder + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    func start(
        in folder: String, settings: [String], options: [String] = [], environment: [String: String] = [:]
    ) throws -> Programs.Running {
        let overrides = settings.flatMap { ["--set", $0] }
        return try Programs.start(
            "tandem", ["run", self.folder + "/tiny.json5", "--sample-log", "samples.log"] + overrides + options, in: folder,
            environment: environment)
    }

    /// Runs the pipeline to its end in a working directory of this name.
    func run(
        _ name: String, settings: [String], options: [String] = [], environment: [String: String] = [:]
    ) throws -> Outcome {
        let path = try makeFolder(name)
        let (status, output) = Programs.finish(try start(in: path, settings: settings, options: options, environment: environment))
        #expect(status == 0, "\(output)")
        let checkpoints = path + "/runs/tiny/checkpoints"
        let last = try FileManager.default.contentsOfDirectory(atPath: checkpoints).sorted().last
        return Outcome(
            folder: path, output: output, sampleLog: try String(contentsOfFile: path + "/samples.log", encoding: .utf8),
            lastCheckpoint: checkpoints + "/" + (try #require(last)))
    }

    func expectSuccess(_ program: String, _ arguments: [String]) throws {
        let (status, output) = try Programs.run(program, arguments, in: folder)
        #expect(status == 0, "\(output)")
    }
}
