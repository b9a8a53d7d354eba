import Base
import Foundation
import TestSupport
import Testing
import WeightFiles

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
        let error = #expect(throws: Failure.self) { try file.floats("u") }
        #expect(
            "\(try #require(error))".hasPrefix("'u' in test holds F8_E4M3, which cannot be read as numbers here; make it a plain float32"))
        #expect(throws: Failure("'h' in test holds F16, not I64")) { try file.integers("h") }
        #expect(throws: Failure("test holds no array 'x'")) { try file.floats("x") }
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
        #expect(throws: Failure.self, "\(what)") { try Safetensors(data: Data(bytes), name: "test") }
    }

    /// Headers beside the format's borders, how many bytes follow, and whether the safetensors library 0.8 reads the file.
    static let borders: [(what: String, header: String, bytes: Int, isRead: Bool)] = {
        let one = #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        func changed(_ old: String, _ new: String) -> String { one.replacingOccurrences(of: old, with: new) }
        func metadata(_ value: String) -> String { #"{"__metadata__":\#(value),"# + one.dropFirst() }
        func two(_ first: String, _ second: String) -> String { "{" + first + "," + second + "}" }
        func array(_ name: String, _ type: String, _ shape: String, _ offsets: String) -> String {
            #""\#(name)":{"dtype":"\#(type)","shape":[\#(shape)],"data_offsets":[\#(offsets)]}"#
        }
        return [
            ("no arrays", "{}", 0, true), ("null for metadata", metadata("null"), 4, true),
            ("a list for metadata", metadata("[]"), 4, false),
            ("null in metadata", metadata(#"{"a":null}"#), 4, false),
            ("another field", changed("}}", #","x":[{"y":-1e3}]}}"#), 4, true),
            ("a missing field", changed(#""dtype":"F32","#, ""), 4, false),
            ("no elements", "{" + array("a", "F32", "0,3", "0,0") + "}", 0, true),
            ("no elements of a huge extent", "{" + array("a", "F32", "0,4611686018427387904,4611686018427387904", "0,0") + "}", 0, true),
            ("a huge extent, then none", "{" + array("a", "F32", "4611686018427387904,4611686018427387904,0", "0,0") + "}", 0, false),
            ("no elements between", two(array("a", "F32", "1", "0,4"), array("b", "F32", "0", "4,4")), 4, true),
            ("no elements amid others", two(array("a", "F32", "2", "0,8"), array("b", "F32", "0", "4,4")), 8, false),
            ("a scalar", changed("[1]", "[]"), 4, true),
            ("unsorted", two(array("b", "F32", "1", "4,8"), array("a", "F32", "1", "0,4")), 8, true),
            ("a hole", two(array("b", "F32", "1", "8,12"), array("a", "F32", "1", "0,4")), 12, false),
            ("spaces behind", one + "    ", 4, true), ("line ends behind", one + "\n\t\r ", 4, true),
            ("a letter behind", one + "x", 4, false), ("a space in front", " " + one, 4, true),
            ("a list", "[]", 0, false),
            ("nothing", "", 0, false),
            ("two halves", changed(#""a""#, #""\ud83d\ude00""#), 4, true),
            ("an escape", changed(#""a""#, #""\u00e9\n\/""#), 4, true), ("an unknown escape", changed(#""a""#, #""\x""#), 4, false),
            ("a line end in a name", changed(#""a""#, "\"a\n\""), 4, false), ("no name", changed(#""a""#, #""""#), 4, true),
            ("a leading zero", changed("[1]", "[01]"), 4, false), ("a text for a number", changed("[1]", #"["1"]"#), 4, false),
            ("three offsets", changed("[0,4]", "[0,4,4]"), 4, false),
            ("offsets backward", changed("[0,4]", "[4,0]"), 4, false), ("small letters", changed("F32", "f32"), 4, false),
            ("an unknown type", changed("F32", "F31"), 4, false), ("a type that is not read", changed("F32", "U32"), 4, true),
            ("a type that is not read, too long", changed("F32", "U16"), 4, false),
            ("half bytes", "{" + array("a", "F4", "2", "0,1") + "}", 1, true),
            ("half a byte", "{" + array("a", "F4", "3", "0,2") + "}", 2, false),
            ("three quarters", "{" + array("a", "F6_E2M3", "4", "0,3") + "}", 3, true),
            ("complex numbers", "{" + array("a", "C64", "1", "0,8") + "}", 8, true), ("data cut off", one, 3, false),
            ("data left over", one, 5, false),
        ]
    }()

    @Test func readsAndRefusesWhatTheLibraryDoes() {
        for border in Self.borders {
            let file = Data(Self.file(border.header, [UInt8](repeating: 0, count: border.bytes)))
            do {
                _ = try Safetensors(data: file, name: "test")
                #expect(border.isRead, "\(border.what) is read")
            } catch {
                #expect(!border.isRead, "\(border.what): \(error)")
            }
        }
    }

    @Test(.enabled(if: Peers.python != nil, "\(Peers.absence)"), .timeLimit(.minutes(30)))
    func theInstalledLibraryReadsAndRefusesTheSame() throws {
        let folder = try TemporaryFolder()
        for (index, border) in Self.borders.enumerated() {
            let file = Data(Self.file(border.header, [UInt8](repeating: 0, count: border.bytes)))
            try file.write(to: URL(fileURLWithPath: folder.file("\(index).safetensors")))
        }
        let output = try Peers.run(TorchFileTests.fixtures + "/peer.py", ["readable", folder.path])
        let read = Set(output.split(separator: "\n"))
        for (index, border) in Self.borders.enumerated() {
            #expect(read.contains("\(index).safetensors") == border.isRead, "\(border.what)")
        }
    }

    @Test func headersBeyondTheLibrarysLimitAreRefused() {
        var file = withUnsafeBytes(of: UInt64(100_000_001).littleEndian) { Data($0) }
        file.append(contentsOf: Array("{}  ".utf8))
        #expect(
            throws: Failure(
                "test is not a whole safetensors file: its header would have 100000001 bytes, more than the 100000000 that are read")
        ) { try Safetensors(data: file, name: "test") }
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
        #expect(throws: Failure("cannot read /nowhere/a.safetensors: there is no such file")) {
            try Safetensors(path: "/nowhere/a.safetensors")
        }
    }

    private static func file(_ header: String, _ data: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { [UInt8]($0) } + Array(header.utf8) + data
    }
}
