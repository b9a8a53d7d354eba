import Foundation
import TestSupport
import Testing
import Training

struct SafetensorsTests {
    /// What the safetensors library 0.6 writes for `{"b": [0, 1, 2], "a.x": [[1.5, -2]]}` as float32 with the metadata `{"note": 'q"é\n'}`.
    static let libraryBytes: [UInt8] =
        [152, 0, 0, 0, 0, 0, 0, 0]
        + Array(
            #"{"__metadata__":{"note":"q\"é\n"},"a.x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[3],"data_offsets":[8,20]}}      "#
                .utf8) + [0, 0, 192, 63, 0, 0, 0, 192, 0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64]

    private let arrays = [
        Safetensors.Array(name: "b", shape: [3]) { [0, 1, 2] },
        Safetensors.Array(name: "a.x", shape: [1, 2]) { [1.5, -2] },
    ]

    @Test func writesTheBytesOfTheLibrary() throws {
        #expect(try Safetensors.bytes(metadata: ["note": "q\"é\n"], arrays) == Self.libraryBytes)
    }

    @Test func readsTheBytesOfTheLibrary() throws {
        let file = try Safetensors(data: Data(Self.libraryBytes), name: "test")
        #expect(file.metadata == ["note": "q\"é\n"])
        #expect(file.entries.keys.sorted() == ["a.x", "b"])
        #expect(file.entries["a.x"]?.shape == [1, 2])
        #expect(try file.floats("a.x") == [1.5, -2])
        #expect(try file.floats("b") == [0, 1, 2])
    }

    /// The first byte of a header of 128 bytes is also that of a pickle, and other lengths begin as zip and gzip files do.
    @Test(arguments: [0x80, 0x4b50, 0x8b1f]) func aLengthIsNotTakenForAnotherFormat(length: Int) throws {
        let header = "{\"__metadata__\":{}}"
        let bytes = Self.file(header + String(repeating: " ", count: length - header.utf8.count), [])
        #expect(try WeightFile(data: Data(bytes), name: "test").format == .safetensors)
    }

    @Test func readsEveryElementType() throws {
        let header = """
            {"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"i":{"dtype":"I64","shape":[1],"data_offsets":[8,16]},\
            "s":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]},"u":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[16,17]}}
            """
        // 1.5 and -2 as F16 and as BF16, then -3, then a byte.
        let data: [UInt8] = [0x00, 0x3e, 0x00, 0xc0, 0xc0, 0x3f, 0x00, 0xc0, 0xfd] + [UInt8](repeating: 0xff, count: 7) + [7]
        let file = try Safetensors(data: Data(Self.file(header, data)), name: "test")
        #expect(try file.floats("h") == [1.5, -2])
        #expect(try file.floats("s") == [1.5, -2])
        #expect(try file.floats("i") == [-3])
        #expect(try file.integers("i") == [-3])
        #expect(throws: TrainingError("'u' in test holds F8_E4M3, which cannot be read as numbers here")) { try file.floats("u") }
        #expect(throws: TrainingError("'h' in test holds F16, not I64")) { try file.integers("h") }
        #expect(throws: TrainingError("test holds no array 'x'")) { try file.floats("x") }
    }

    @Test(arguments: [
        ("too short for a length", [UInt8](repeating: 0, count: 7)),
        ("header longer than the file", [255, 0, 0, 0, 0, 0, 0, 0, 123, 125]),
        ("header length beyond any file", [UInt8](repeating: 255, count: 16)),
        ("header that is no JSON", file("{]", [])),
        ("header that is no object", file("[1]", [])),
        ("metadata that is no string", file(#"{"__metadata__":{"a":1}}"#, [])),
        ("entry without a shape", file(#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, [0, 0, 0, 0])),
        ("shape against bytes", file(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, [0, 0, 0, 0])),
        ("negative extents", file(#"{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}"#, [0, 0, 0, 0])),
        ("overflowing shape", file(#"{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}"#, [0, 0, 0, 0])),
        ("backward offsets", file(#"{"a":{"dtype":"F32","shape":[],"data_offsets":[8,4]}}"#, [0, 0, 0, 0])),
        ("data cut off", file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, [0, 0, 0])),
        ("data left over", file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, [0, 0, 0, 0, 0])),
        (
            "overlapping arrays",
            file(
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
                [0, 0, 0, 0])
        ),
        ("a hole", file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, [UInt8](repeating: 0, count: 8))),
    ])
    func refuses(_ what: String, _ bytes: [UInt8]) {
        #expect(throws: TrainingError.self, "\(what)") { try Safetensors(data: Data(bytes), name: "test") }
    }

    @Test func failureLeavesTheOldFileWhole() throws {
        struct DiskFull: Error {}
        let folder = try TemporaryFolder()
        let path = folder.file("a.safetensors")
        try Safetensors.write(to: path, metadata: [:], arrays)
        let failing = Safetensors.Array(name: "z", shape: [1]) { throw DiskFull() }
        #expect(throws: DiskFull.self) { try Safetensors.write(to: path, metadata: [:], arrays + [failing]) }
        #expect(try Safetensors(path: path).floats("b") == [0, 1, 2])
        #expect(try folder.contents() == ["a.safetensors"])
    }

    @Test func missingFileIsNamed() {
        #expect(throws: TrainingError("cannot read /nowhere/a.safetensors: no such file")) {
            try Safetensors(path: "/nowhere/a.safetensors")
        }
    }

    private static func file(_ header: String, _ data: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { [UInt8]($0) } + Array(header.utf8) + data
    }
}
