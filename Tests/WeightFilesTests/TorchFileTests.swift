import Base
import Foundation
import Models
import TestSupport
import Testing
import WeightFiles

/// Files of `torch.save`: committed ones, and the same from the PyTorch that is installed.
struct TorchFileTests {
    static let fixtures = Programs.package + "/Tests/Fixtures/Weights"

    /// Every array of `file` against the safetensors file of this name.
    private func compare(_ file: WeightFile, _ expected: String, prefix: String = "") throws {
        let expected = try Safetensors(path: expected)
        for name in expected.entries.keys {
            #expect(file.entries[prefix + name]?.shape == expected.entries[name]?.shape, "\(prefix)\(name)")
            #expect(try file.floats(prefix + name) == expected.floats(name), "\(prefix)\(name)")
        }
    }

    private func compareAll(in folder: String) throws {
        for name in ["zoo.pth", "zoo-old.pth"] {
            let file = try WeightFile(path: "\(folder)/\(name)")
            try compare(file, folder + "/zoo.safetensors")
            #expect(file.entries.count == 19)
            #expect(file.entries["bfloat16"]?.typeName == "BF16" && file.entries["bool"]?.typeName == "BOOL")
        }
        for (name, prefix) in [
            ("mae.pth", "model."), ("dino.pth", "teacher.backbone."), ("timm.pth", "state_dict.module."), ("encoder.pth", "encoder."),
            ("encoder-old.pth", ""),
        ] {
            let weights = try EncoderWeights(path: "\(folder)/\(name)", heads: 2)
            #expect(weights.prefix == prefix, "\(name)")
            let sizes: [Int] = [weights.width, weights.depth, weights.heads ?? 0, weights.patchSize, weights.gridSize]
            #expect(sizes == [8, 2, 2, 4, 3], "\(name)")
            try weights.check()
            if name != "mae.pth" { try compare(weights.file, folder + "/encoder.safetensors", prefix: prefix) }
            let sent = try EncoderWeights(bytes: weights.encoded(), name: "sent")
            #expect(sent.heads == 2 && sent.entries == weights.entries)
        }
        #expect(
            throws: Failure(
                "\(folder)/hostile.pth cannot be read as PyTorch weights: it asks for 'posix.system' at 'extra', which is neither a tensor nor"
                    + " a plain container, and could run code; nothing was run. If you trust the file, load it in Python and save its weights"
                    + " alone: torch.save(model.state_dict(), 'weights.pth')")
        ) { try WeightFile(path: folder + "/hostile.pth") }
        let student = try EncoderWeights(path: folder + "/dino.pth", entry: "student")
        #expect(student.prefix == "student.module.backbone.")
        try compareViews(in: folder)
    }

    /// iBOT's dictionaries are read under the names of Tandem's checkpoints; SiameseIM's networks have one table of positions.
    private func compareViews(in folder: String) throws {
        try compare(WeightFile(path: folder + "/ibot.pth"), folder + "/ibot.safetensors")
        try compare(WeightFile(path: folder + "/siamese-im.pth"), folder + "/siamese-im.safetensors", prefix: "model.")
        for (name, entry, prefix) in [
            ("ibot.pth", nil, "teacher.backbone."), ("ibot.pth", "teacher", "teacher.backbone."), ("ibot.pth", "student", "backbone."),
            ("ibot.safetensors", nil, "teacher.backbone."), ("ibot-backbone.pth", nil, "state_dict."),
            ("siamese-im.pth", nil, "model."), ("siamese-im.pth", "model", "model."), ("siamese-im.pth", "student", "model."),
            ("siamese-im.pth", "teacher", "model.mm_"), ("siamese-im.safetensors", nil, ""), ("siamese-im.safetensors", "mm_", "mm_"),
        ] as [(String, String?, String)] {
            let weights = try EncoderWeights(path: "\(folder)/\(name)", entry: entry, heads: 2)
            #expect(weights.prefix == prefix, "\(name) \(entry ?? "")")
            try weights.check()
            #expect(weights.hasNorm == name.hasPrefix("ibot") && weights.entries["pos_embed"]?.shape == [1, 5, 8])
            let sent = try EncoderWeights(bytes: weights.encoded(), name: "sent")
            #expect(sent.entries == weights.entries && sent.hasNorm == weights.hasNorm)
        }
        #expect(
            throws: Failure(
                "\(folder)/siamese-im.pth holds no vision transformer under 'x'; there are 'model', 'model.mm_'")
        ) { try EncoderWeights(path: folder + "/siamese-im.pth", entry: "x") }
        #expect(
            try WeightFile(path: folder + "/ibot.pth").numbersOfParts == [
                .encoder: 1000, .positions: 40, .head: 141, .teacher: 1181, .optimizer: 5, .other: 20,
            ])
        #expect(
            try WeightFile(path: folder + "/siamese-im.pth").numbersOfParts == [
                .encoder: 984, .positions: 60, .decoder: 620, .teacher: 1286, .optimizer: 5,
            ])
        // A network that stands alone is the encoder, whatever it is called.
        #expect(try WeightFile(path: folder + "/ibot-backbone.pth").numbersOfParts == [.encoder: 1000, .positions: 40])
    }

    @Test func committedFilesAreRead() throws { try compareAll(in: Self.fixtures) }

    @Test(.enabled(if: Peers.python != nil, "\(Peers.absence)"), .timeLimit(.minutes(30)))
    func filesOfTheInstalledPyTorchAreRead() throws {
        let folder = try TemporaryFolder()
        try Peers.run(Self.fixtures + "/peer.py", ["write", folder.path])
        try Peers.run(Self.fixtures + "/views.py", [folder.path])
        try compareAll(in: folder.path)
    }

    /// Expected: what torch.load gives of each tensor (weights_only=True), and the kinds of those that hold no plain numbers.
    @Test(.enabled(if: Peers.python != nil, "\(Peers.absence)"), .timeLimit(.minutes(30)))
    func tensorsOfEveryKindAreReadOrRefusedByName() throws {
        let folder = try TemporaryFolder()
        try Peers.run(Self.fixtures + "/peer.py", ["kinds", folder.path])
        let file = try WeightFile(path: folder.file("kinds.pth"))
        try compare(file, folder.file("kinds.safetensors"))
        try compare(WeightFile(path: folder.file("kinds-old.pth")), folder.file("kinds.safetensors"))
        let refused = try JSONDecoder().decode(
            [String: String].self, from: Data(contentsOf: URL(fileURLWithPath: folder.file("kinds.json"))))
        #expect(refused.count == 14)
        for (name, word) in refused {
            let error = #expect(throws: Failure.self, "\(name)") { try file.floats(name) }
            let text = "\(try #require(error))"
            #expect(text.hasPrefix("'\(name)' in \(file.name) holds ") && text.contains(word), "\(text)")
        }
    }

    /// The sign of zero counts too.
    @Test func aNegatedTensorsNumbersHaveTheOtherSign() throws {
        func file(_ metadata: [(String, [UInt8])], type: String = "FloatStorage", bytes: [UInt8]) throws -> WeightFile {
            let tensor = PickleBytes.tensor(
                count: 2, shape: [2], strides: [1], type: type, metadata: metadata)
            let archive = TorchArchive(pickle: PickleBytes.whole(PickleBytes.dictionary([("x", tensor)])), storages: ["0": bytes])
            return try WeightFile(data: Data(archive.bytes), name: "test")
        }
        let (yes, no): ([UInt8], [UInt8]) = ([0x88], [0x89])
        let stored: [UInt8] = [0, 0, 0xc0, 0x3f, 0, 0, 0, 0]  // 1.5 and 0
        #expect(try file([("neg", yes)], bytes: stored).floats("x").map(\.bitPattern) == [Float(-1.5).bitPattern, Float(-0.0).bitPattern])
        #expect(try file([("neg", no), ("conj", no)], bytes: stored).floats("x").map(\.bitPattern) == [Float(1.5).bitPattern, 0])
        #expect(try file([("neg", yes)], type: "BFloat16Storage", bytes: [0xc0, 0x3f, 0, 0xc0]).floats("x") == [-1.5, 2])
        for (key, type) in [("conj", "FloatStorage"), ("tilt", "FloatStorage"), ("neg", "ByteStorage")] {
            let bytes = type == "ByteStorage" ? [1, 2] : stored
            let error = #expect(throws: Failure.self) { try file([(key, yes)], type: type, bytes: bytes).floats("x") }
            #expect("\(try #require(error))".contains("with the metadata '\(key)', which cannot be read as numbers here"), "\(key)")
        }
    }

    @Test func remarksStandBesideTheWeights() throws {
        let file = try WeightFile(path: Self.fixtures + "/mae.pth")
        #expect(file.metadata == ["epoch": "799", "args": "argparse.Namespace"])
        #expect(file.entries["optimizer.state.0.exp_avg"]?.shape == [8])
    }

    @Test func severalNetworksAskForAChoice() throws {
        let path = Self.fixtures + "/dino.pth"
        #expect(
            throws: Failure(
                "\(path) holds no vision transformer under 'x'; there are 'student.module.backbone', 'teacher.backbone'")
        ) { try EncoderWeights(path: path, entry: "x") }
    }

    /// Cut off at any place, and with any byte changed, a file is read or refused; it is never read with other numbers in its storages.
    @Test(arguments: ["zoo.pth", "zoo-old.pth"]) func damagedFilesAreRefused(name: String) throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: Self.fixtures + "/" + name))
        func readAll(_ data: Data) -> Bool {
            do {
                let file = try WeightFile(data: data, name: "test")
                for key in file.entries.keys { _ = try file.floats(key) }
                return true
            } catch {
                #expect(error is Failure)
                return false
            }
        }
        #expect(readAll(whole))
        for length in stride(from: 0, to: whole.count, by: 3) { #expect(!readAll(whole.prefix(length)), "\(length) bytes") }
        for index in whole.indices {
            var changed = whole
            changed[index] ^= 0x5a
            _ = readAll(changed)
        }
    }

    @Test func aChangedStorageIsNoticed() throws {
        var archive = TorchArchive(
            pickle: PickleBytes.whole(PickleBytes.dictionary([("x", PickleBytes.tensor(count: 1, shape: [1], strides: [1]))])),
            storages: ["0": [0xab, 0xcd, 0xef, 0x40]])
        var bytes = archive.bytes
        let at = try #require(Data(bytes).range(of: Data([0xab, 0xcd, 0xef, 0x40]))).lowerBound
        bytes[at] = 0
        #expect(
            throws: Failure(
                "test is not a whole zip archive: 'archive/data/0' is damaged: its checksum does not agree; download or copy it again"
            )
        ) {
            try WeightFile(data: Data(bytes), name: "test").floats("x")
        }
        archive.hasChecksums = false
        #expect(try WeightFile(data: Data(archive.bytes), name: "test").floats("x") == [Float(bitPattern: 0x40ef_cdab)])
    }

    @Test func directoriesOfLargeFilesAreRead() throws {
        var archive = TorchArchive(
            pickle: PickleBytes.whole(PickleBytes.dictionary([("x", PickleBytes.tensor(count: 1, shape: [1], strides: [1]))])),
            storages: ["0": [0, 0, 128, 63]])
        archive.is64Bit = true
        let bytes = archive.bytes
        #expect(try WeightFile(data: Data(bytes), name: "test").floats("x") == [1])
        // Any of the directory's numbers may lie.
        for index in bytes.indices.suffix(76) {
            var changed = bytes
            changed[index] ^= 0x81
            _ = try? WeightFile(data: Data(changed), name: "test").floats("x")
        }
    }

    @Test func otherArchivesAreRefused() {
        func refusal(_ data: [UInt8]) -> String {
            do {
                _ = try WeightFile(data: Data(data), name: "test")
                return ""
            } catch { return "\(error)" }
        }
        var archive = TorchArchive(pickle: PickleBytes.whole(Array("}".utf8)))
        archive.method = 8
        #expect(refusal(archive.bytes).contains("is compressed, which PyTorch never writes"))
        archive = TorchArchive(pickle: [])
        archive.records = [("a.npy", [1])]
        #expect(refusal(archive.bytes) == "test is an archive of NumPy arrays (.npz), not a file of torch.save: it has no 'data.pkl'")
        archive.records = [("a.txt", [1])]
        #expect(refusal(archive.bytes) == "test is a zip archive, not a file of torch.save: it has no 'data.pkl'")
        archive.records.append(("pytorch/model.pth", [1]))
        #expect(refusal(archive.bytes).contains("holds 'pytorch/model.pth' (unpack it and name that)"))
        archive = TorchArchive(pickle: PickleBytes.whole(Array("}".utf8)))
        archive.records.append(("archive/constants.pkl", []))
        #expect(refusal(archive.bytes).contains("TorchScript program"))
        archive.records[1].content = Array("big".utf8)
        archive.records.removeLast()
        #expect(refusal(archive.bytes).contains("big-endian"))
        archive.records.append(archive.records[0])
        #expect(refusal(archive.bytes).contains("holds 'archive/data.pkl' twice"))
        #expect(refusal(PickleBytes.whole(Array("}".utf8))).contains("bare pickle"))
    }
}
