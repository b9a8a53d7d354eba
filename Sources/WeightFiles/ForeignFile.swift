import Base
import Foundation

/// What a file that holds no weights seems to be, and what its owner can do: downloads that went wrong, and formats of other programs.
struct ForeignFile {
    /// As the end of a sentence: "it is a web page".
    let what: String
    let remedy: String

    /// A reason that names the file.
    func error(_ name: String) -> Failure {
        Failure("\(name) is no file of weights that can be read (safetensors, PyTorch): it \(what); \(remedy)")
    }

    private init(_ what: String, _ remedy: String) {
        self.what = what
        self.remedy = remedy
    }

    /// Any file is something: what nothing is known of is told by its first bytes.
    init(_ data: Data) {
        let head = [UInt8](data.prefix(4096))
        if head.isEmpty {
            self.init("is empty", Self.again)
        } else if head.allSatisfy({ $0 == 0 }) {
            self.init("begins with \(head.count) zeros, as a download does that was cut off", Self.again)
        } else if let known = Self.binary.first(where: { head.dropFirst($0.offset).starts(with: $0.magic) }) {
            self.init("is \(known.what)", known.remedy)
        } else if head.count > 2, head[0] == 0x08, head[2] == 0x12 {
            // Both begin with their version, field 1 of a protobuf message; a graph's is 1, ONNX' 3 and more.
            self.init("is \(head[1] == 1 ? "a TensorFlow SavedModel" : "an ONNX model")", Self.saveAgain)
        } else if data.suffix(8).elementsEqual([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]) {
            self.init("is the index of a TensorFlow checkpoint", Self.saveAgain)
        } else if let text = Self.text(head) {
            self = Self.kind(ofText: text)
        } else if data.count < 64 {
            self.init("has \(data.count) bytes, too few for weights", Self.again)
        } else {
            let bytes = head.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
            self.init("begins with the bytes \(bytes), which neither does", Self.again)
        }
    }

    /// What helps where a file did not arrive whole.
    static let again = "download or copy it again"
    static let saveAgain = "load it in the program that made it and save the weights as safetensors"

    /// First bytes by which other formats are known.
    private static let binary: [(offset: Int, magic: [UInt8], what: String, remedy: String)] = {
        let unpack = "unpack it first, and name the file of weights in it"
        func text(_ text: String) -> [UInt8] { Array(text.utf8) }
        return [
            (0, [0x1f, 0x8b], "compressed (gzip)", "unpack it first with gunzip"),
            (0, [0xfd] + text("7zXZ\0"), "compressed (xz)", "unpack it first with unxz"),
            (0, text("BZh"), "compressed (bzip2)", "unpack it first with bunzip2"),
            (0, [0x28, 0xb5, 0x2f, 0xfd], "compressed (zstd)", "unpack it first with unzstd"),
            (0, [0x04, 0x22, 0x4d, 0x18], "compressed (lz4)", "unpack it first with unlz4"),
            (0, text("7z") + [0xbc, 0xaf, 0x27, 0x1c], "a 7z archive", unpack),
            (0, text("Rar!"), "a rar archive", unpack),
            (257, text("ustar"), "a tar archive", unpack),
            (0, text("PK") + [5, 6], "an empty zip archive", again),
            (0, [0x89] + text("HDF\r\n") + [0x1a, 0x0a], "an HDF5 file, as Keras writes them", saveAgain),
            (0, [0x93] + text("NUMPY"), "a NumPy array (.npy)", saveAgain),
            (4, text("TFL3"), "a TensorFlow Lite model", saveAgain),
            (0, text("GGUF"), "a GGUF model, as llama.cpp has them", saveAgain),
            (0, text("MATLAB 5.0"), "a MATLAB file", saveAgain),
            (0, [0x89] + text("PNG"), "a picture", "name a file of weights"),
            (0, [0xff, 0xd8, 0xff], "a picture", "name a file of weights"),
            (4, text("ftyp"), "a video", "name a file of weights"),
            (0, text("%PDF"), "a PDF document", "name a file of weights"),
        ]
    }()

    /// The beginning as text; nil where it is none. A character may be cut at its end.
    private static func text(_ head: [UInt8]) -> String? {
        for cut in 0...min(3, head.count - 1) {
            if let text = String(validating: head.dropLast(cut), as: UTF8.self) {
                let isText = text.unicodeScalars.allSatisfy {
                    $0.properties.generalCategory != .control || "\t\r\n\u{c}".unicodeScalars.contains($0)
                }
                return isText ? text : nil
            }
        }
        return nil
    }

    private static func kind(ofText text: String) -> ForeignFile {
        let text = text.trimmingCharacters(in: CharacterSet.whitespacesAndNewlines.union(["\u{feff}"]))
        let line = text.prefix { !$0.isNewline }.prefix(60).onOneLine
        let begins = "begins with '\(line)'"
        if text.hasPrefix("version https://git-lfs") {
            return ForeignFile("is a pointer of Git LFS in place of the file", "get the file itself with 'git lfs pull'")
        }
        if text.hasPrefix("<") {
            let kind = text.hasPrefix("<?xml") ? "XML" : "a web page"
            return ForeignFile("is \(kind), and \(begins)", "download the file itself again, signed in where the server asks for it")
        }
        if text.hasPrefix("{"), text.contains("\"weight_map\"") {
            return ForeignFile("is the index of weights in several files", "load it in Python and save the state dict as one file")
        }
        let kind = text.hasPrefix("{") || text.hasPrefix("[") ? "JSON" : "text"
        return ForeignFile("is \(kind), and \(begins)", "if it was downloaded, see what the server says there, and \(again)")
    }
}
