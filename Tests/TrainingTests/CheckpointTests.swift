import Autograd
import Base
import Compute
import Foundation
import TestBackends
import TestSupport
import Testing
import Training
import WeightFiles

struct CheckpointTests {
    private let backend: any Backend
    private let folder: TemporaryFolder

    init() throws {
        backend = try TestBackend.cpu.open(threads: 1)
        folder = try TemporaryFolder()
    }

    private func store(from start: Float = 0) -> ParameterStore {
        let store = ParameterStore(
            [
                ("norm.weight", [2]), ("blocks.0.weight", [2, 3]), ("patch_embed.proj.weight", [4, 3, 1, 1]),
                ("decoder_pred.weight", [1, 2]),
            ],
            backend: backend)
        let indices = (0..<store.count).map { Float($0) }
        backend.upload(store.values, from: indices.map { start + $0 })
        backend.upload(store.firstMoments, from: indices.map { start - $0 })
        backend.upload(store.secondMoments, from: indices.map { start + 0.1 * $0 })
        return store
    }

    private func metadata(_ step: Int) -> Checkpoint.Metadata {
        Checkpoint.Metadata(
            step: step, samplesSeen: step * 128, samplesPlanned: 12_800, seed: .max, manifestHash: "ab12", pipeline: "{\"name\": \"é\\n\"}",
            encoder: EncoderRemarks(heads: 2))
    }

    private func numbers(_ store: ParameterStore) -> [[Float]] {
        [store.values, store.firstMoments, store.secondMoments].map(backend.download)
    }

    @Test func restoresEveryBit() throws {
        let written = store(from: 0.1)
        let path = folder.file("a.safetensors")
        let table = Safetensors.Array(name: "pos_embed", shape: [1, 2]) { [5, 6] }
        // What the optimizer does not move: of a teacher, say.
        let state = [StateArray("teacher.weight", backend.tensor([2, 2])), StateArray("center", backend.tensor([3]))]
        backend.upload(state[0].values, from: [1, 2, 3, 0.1])
        backend.upload(state[1].values, from: [-1, 0, 1e-30])
        try Checkpoint.write(to: path, metadata(7), written, state: state, constants: [table])
        let checkpoint = try Checkpoint(path: path)
        #expect(checkpoint.metadata == metadata(7))
        let read = store(from: 100)
        let readState = [StateArray("teacher.weight", backend.tensor([2, 2])), StateArray("center", backend.tensor([3]))]
        try checkpoint.restore(into: read, state: readState)
        #expect(numbers(read) == numbers(written))
        #expect(backend.download(readState[0].values) == [1, 2, 3, 0.1] && backend.download(readState[1].values) == [-1, 0, 1e-30])
        #expect(throws: Failure("\(path) holds no array 'center2'")) {
            try checkpoint.restore(into: read, state: [StateArray("center2", backend.tensor([3]))])
        }
        #expect(try checkpoint.file.floats("pos_embed") == [5, 6])
        #expect(checkpoint.file.entries["optimizer.m.blocks.0.weight"]?.shape == [2, 3])
    }

    @Test func otherModelsAreRefused() throws {
        let path = folder.file("a.safetensors")
        try Checkpoint.write(to: path, metadata(7), store())
        let checkpoint = try Checkpoint(path: path)
        #expect(throws: Failure("\(path) holds no array 'blocks.1.weight'")) {
            try checkpoint.restore(into: ParameterStore([("blocks.1.weight", [2, 3])], backend: backend))
        }
        #expect(throws: Failure("\(path) is of another model: 'blocks.0.weight' has the shape [2, 3], not [3, 2]")) {
            try checkpoint.restore(into: ParameterStore([("blocks.0.weight", [3, 2])], backend: backend))
        }
    }

    @Test func weightsAloneAreNoCheckpoint() throws {
        let path = folder.file("a.safetensors")
        try Safetensors.write(to: path, metadata: [:], [])
        #expect(
            throws: Failure(
                "\(path) is no checkpoint of a training that can be continued: its metadata lacks the run's state")
        ) { try Checkpoint(path: path) }
    }

    @Test func theLastFewAndTheHeldOnesStay() throws {
        let checkpoints = try CheckpointFolder(folder.path, keep: 2)
        for step in [1, 2, 3, 4, 100_000_000] { try checkpoints.write(metadata(step), store(), held: [2]) }
        #expect(try checkpoints.steps() == [2, 4, 100_000_000])
        #expect(
            try folder.contents() == ["step-00000002.safetensors", "step-00000004.safetensors", "step-100000000.safetensors"])
    }

    @Test func whatIsNoLongerHeldGoes() throws {
        let checkpoints = try CheckpointFolder(folder.path, keep: 2)
        for step in [1, 2, 3, 4] { try checkpoints.write(metadata(step), store(), held: [1, 2]) }
        try checkpoints.removeOld(held: [2])
        #expect(try checkpoints.steps() == [2, 3, 4])
        #expect(!checkpoints.isShortOfRoom)
        // Two more of this size fit on no disk.
        #expect(truncate(checkpoints.path(ofStep: 4), 1 << 42) == 0)
        #expect(checkpoints.isShortOfRoom)
    }

    @Test func damagedCheckpointsArePassedOver() throws {
        let checkpoints = try CheckpointFolder(folder.path, keep: 3)
        for step in [10, 20, 30] { try checkpoints.write(metadata(step), store()) }
        let damaged = try FileHandle(forWritingTo: URL(fileURLWithPath: checkpoints.path(ofStep: 30)))
        try damaged.truncate(atOffset: 500)
        for name in ["step-00000040.safetensors.tandem.partial", "a user's.partial"] {
            try Data("[".utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        }
        try Data(repeating: 9, count: 100).write(to: URL(fileURLWithPath: checkpoints.path(ofStep: 20)))

        var warnings: [String] = []
        let latest = try CheckpointFolder(folder.path, keep: 3).latest { warnings.append($0) }
        #expect(latest?.metadata.step == 10)
        #expect(
            warnings.count == 2 && warnings.allSatisfy { $0.hasPrefix("passing over a damaged checkpoint: \(folder.path)/step-000000") })
        #expect(try folder.contents().filter { $0.hasSuffix(".partial") } == ["a user's.partial"])
    }

    @Test func aFolderMeansItsLastWholeCheckpoint() throws {
        let run = folder.file("run")
        try FileManager.default.createDirectory(atPath: run + "/checkpoints", withIntermediateDirectories: true)
        let checkpoints = try CheckpointFolder(run + "/checkpoints", keep: 3)
        for step in [10, 20] { try checkpoints.write(metadata(step), store()) }
        let damaged = checkpoints.path(ofStep: 30)
        for path in [damaged, damaged + ".tandem.partial"] { try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path)) }
        var warnings: [String] = []
        for path in [run, checkpoints.path] {
            #expect(try CheckpointFolder.weights(at: path) { warnings.append($0) } == checkpoints.path(ofStep: 20))
        }
        #expect(warnings.count == 2)
        #expect(FileManager.default.fileExists(atPath: damaged + ".tandem.partial"), "a trainer may be writing it")
        #expect(try CheckpointFolder.weights(at: damaged) { _ in } == damaged)
        #expect(
            throws: Failure(
                "\(folder.path) is a folder without a whole checkpoint; name a file of weights, or a run's folder")
        ) { try CheckpointFolder.weights(at: folder.path) { _ in } }
    }

    @Test func anEmptyFolderHasNoLatest() throws {
        #expect(try CheckpointFolder(folder.path, keep: 1).latest { _ in }?.metadata == nil)
        #expect(throws: Failure("there is no folder /nowhere")) { try CheckpointFolder("/nowhere", keep: 1) }
    }

    @Test func theEncoderIsSentWithoutTheRest() throws {
        let path = folder.file("a.safetensors")
        let table = Safetensors.Array(name: "pos_embed", shape: [1, 10, 4]) { [Float](repeating: 1, count: 40) }
        try Checkpoint.write(to: path, metadata(7), store(), constants: [table])
        let sent = try EncoderWeights(path: path).encoded()
        let encoder = try EncoderWeights(bytes: sent, name: "sent")
        let sizes: [Int] = [encoder.width, encoder.depth, encoder.heads ?? 0, encoder.patchSize, encoder.gridSize]
        #expect(sizes == [4, 1, 2, 1, 3])
        #expect(try encoder.floats("blocks.0.weight", shape: [2, 3]).count == 6)
        #expect(throws: Failure("sent holds no array 'decoder_pred.weight'")) {
            try encoder.floats("decoder_pred.weight", shape: [1, 2])
        }
        #expect(
            try Safetensors(data: Data(sent), name: "sent").entries.keys.sorted()
                == ["blocks.0.weight", "norm.weight", "patch_embed.proj.weight", "pos_embed"])
    }
}
