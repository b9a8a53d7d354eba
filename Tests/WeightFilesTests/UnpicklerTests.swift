import Base
import Foundation
import Testing
import WeightFiles

/// Files that a stranger made to harm whoever opens them: each is refused with a sentence, and nothing is run.
struct UnpicklerTests {
    private func open(_ value: [UInt8], storage: [UInt8] = []) throws -> WeightFile {
        try WeightFile(data: Data(TorchArchive(pickle: PickleBytes.whole(value), storages: ["0": storage]).bytes), name: "test")
    }

    private func refusal(_ value: [UInt8], storage: [UInt8] = []) -> String {
        do {
            _ = try open(value, storage: storage)
            return ""
        } catch { return "\(error)" }
    }

    @Test(arguments: [
        ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("__builtin__", "exec"), ("subprocess", "Popen"),
        ("torch", "load"), ("torch.hub", "load"), ("torch.storage", "_load_from_bytes"), ("numpy", "load"), ("runpy", "run_path"),
        ("builtins", "getattr"), ("importlib", "import_module"), ("argparse", "Namespace.__init__"), ("torch", "float32.evil"),
        ("collections", "OrderedDict.__reduce__"), ("", ""),
    ])
    func functionsAreRefusedByName(module: String, name: String) {
        let call = PickleBytes.call(PickleBytes.global(module, name), [PickleBytes.text("touch /tmp/harm")])
        let expected = "test cannot be read as PyTorch weights: it asks for '\(module).\(name)'"
        #expect(refusal(call).hasPrefix(expected + " at its top, which is neither a tensor"))
        let members = [
            ("model", PickleBytes.dictionary([])), ("args", PickleBytes.dictionary([("x", PickleBytes.tuple([[0x4e], call]))])),
        ]
        #expect(refusal(PickleBytes.dictionary(members)).hasPrefix(expected + " at 'args.x.1', which is neither a tensor"))
        let stacked = PickleBytes.text(module) + PickleBytes.text(name) + [0x93]
        #expect(refusal(stacked).hasPrefix(expected + " at its top, which is neither a tensor"))
        // Of what is thrown away again, and of what ends in nonsense, no place is told.
        #expect(refusal(call + Array("0N".utf8)).hasPrefix(expected + ", which is neither a tensor"))
        #expect(refusal(call + [0xff]).hasPrefix(expected + ", which is neither a tensor"))
    }

    @Test func namesCannotWriteToTheTerminal() {
        #expect(refusal(PickleBytes.global("\u{1b}[2J", "evil\u{7}")).contains(#"it asks for '\u{1B}[2J.evil\u{7}' at its top, which"#))
    }

    /// INST, OBJ, NEWOBJ_EX, EXT1, EXT4, NEXT_BUFFER, and a code that is none.
    @Test(arguments: [UInt8(ascii: "i"), UInt8(ascii: "o"), 0x92, 0x82, 0x84, 0x97, 0xff])
    func otherInstructionsAreRefused(code: UInt8) {
        #expect(refusal([code]).contains("holds the instruction \(code) at byte 2, which weights do not need"))
    }

    @Test func settingsArePassedOver() throws {
        let namespace =
            PickleBytes.global("argparse", "Namespace") + Array(")".utf8) + [0x81]
            + PickleBytes.dictionary([("lr", PickleBytes.integer(1))])
            + Array("b".utf8)
        let file = try open(
            PickleBytes.dictionary([
                ("model", PickleBytes.dictionary([("x", PickleBytes.tensor(count: 2, shape: [2], strides: [1]))])), ("args", namespace),
                ("epoch", PickleBytes.integer(-7)),
            ]), storage: [0, 0, 128, 63, 0, 0, 0, 64])
        #expect(file.metadata == ["args": "argparse.Namespace", "epoch": "-7"])
        #expect(try file.floats("model.x") == [1, 2])
    }

    @Test(arguments: [
        ("beyond the storage", 4, 0, [5], [1]), ("offset beyond it", 4, 4, [1], [1]), ("negative offset", 4, -1, [1], [1]),
        ("negative extent", 4, 0, [-1], [1]), ("negative stride", 4, 3, [4], [-1]), ("ranks that differ", 4, 0, [2, 2], [1]),
        ("overflowing reach", 4, 0, [2, 2], [.max, .max]), ("overflowing count", 4, 0, [1 << 40, 1 << 40], [0, 0]),
        ("elements out of nothing", 4, 0, [1 << 40], [0]), ("overflowing storage", .max, 0, [2], [1]),
        ("negative storage", -4, 0, [1], [1]),
        ("too many dimensions", 4, 0, [Int](repeating: 1, count: 65), [Int](repeating: 1, count: 65)),
    ])
    func impossibleTensorsAreRefused(_ what: String, count: Int, offset: Int, shape: [Int], strides: [Int]) {
        let tensor = PickleBytes.tensor(count: count, offset: offset, shape: shape, strides: strides)
        #expect(throws: Failure.self, "\(what)") {
            try open(PickleBytes.dictionary([("x", tensor)]), storage: [UInt8](repeating: 0, count: 16)).floats("x")
        }
    }

    @Test func storagesOfOtherSizesAreRefused() {
        let tensor = PickleBytes.dictionary([("x", PickleBytes.tensor(count: 4, shape: [4], strides: [1]))])
        #expect(
            refusal(tensor, storage: [UInt8](repeating: 0, count: 15)) == "test is damaged: 'x' needs 4 times 4 bytes, but has 15")
    }

    @Test func unreadableTypesAreToldWhenTheyAreAskedFor() throws {
        let tensor = PickleBytes.tensor(count: 1, shape: [1], strides: [1], type: "ComplexFloatStorage")
        let file = try open(PickleBytes.dictionary([("x", tensor)]), storage: [UInt8](repeating: 0, count: 8))
        #expect(file.entries["x"]?.typeName == "torch.ComplexFloatStorage")
        #expect(
            throws: Failure(
                "'x' in test holds torch.ComplexFloatStorage, which cannot be read as numbers here; make it a plain float32 tensor in PyTorch"
                    + " and save it again")
        ) {
            try file.floats("x")
        }
    }

    @Test func emptyExtentsBesideHugeOnesAreHarmless() throws {
        let tensor = PickleBytes.tensor(count: 4, shape: [0, 1 << 62, 1 << 62], strides: [1, 1, 0])
        let file = try open(PickleBytes.dictionary([("x", tensor)]), storage: [UInt8](repeating: 0, count: 16))
        #expect(try file.floats("x").isEmpty)
    }

    /// A list that holds itself, a million lists one in the other, and one that is copied over and over.
    @Test func strangeContainersAreHarmless() throws {
        let itself: [UInt8] = [0x5d, 0x71, 0, 0x68, 0, 0x61]
        #expect(try open(itself).entries.isEmpty)
        let deep = [UInt8](repeating: UInt8(ascii: "]"), count: 1_000_000) + [UInt8](repeating: UInt8(ascii: "a"), count: 999_999)
        #expect(refusal(deep).contains("nest too deep"))
        let source = Array("}(".utf8) + [UInt8](repeating: UInt8(ascii: "N"), count: 20_000) + Array("uq".utf8) + [0]
        let ordered = PickleBytes.global("collections", "OrderedDict") + [0x71, 1, 0x30]
        let copy: [UInt8] = [0x68, 1, 0x68, 0, 0x85, 0x52, 0x30]
        let copies = [[UInt8]](repeating: copy, count: 100_000).flatMap { $0 }
        #expect(refusal(source + ordered + copies).contains("copies containers over and over"))
        #expect(refusal([UInt8](repeating: UInt8(ascii: "N"), count: 5_000_000)).contains("longer than 4 MiB"))
    }

    /// Every instruction alone, and before every other, on an empty stack.
    @Test func anyTwoInstructionsAreSafe() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max { _ = refusal([first, second]) }
        }
    }
}
