import Base
import Foundation
import Testing
import WeightFiles

/// Files that hold no weights: downloads that went wrong, and formats of other programs.
struct ForeignFileTests {
    private func refusal(_ bytes: [UInt8]) -> String {
        do {
            _ = try WeightFile(data: Data(bytes), name: "page.pth")
            return ""
        } catch { return "\(error)" }
    }

    private static let again = "download or copy it again"
    private static let saveAgain = "load it in the program that made it and save the weights as safetensors"

    @Test(arguments: [
        (
            "<html>sign in to download</html>",
            "is a web page, and begins with '<html>sign in to download</html>'; download the file itself again"
        ),
        ("\n \u{feff}<!DOCTYPE html>\n<title>Quota exceeded</title>", "is a web page, and begins with '<!DOCTYPE html>'; download"),
        ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "is XML, and begins with '<?xml version=\"1.0\"?><Error>"),
        ("{\"error\":\"Repository not found\"}", "is JSON, and begins with '{\"error\":\"Repository not found\"}'; if it was downloaded"),
        (
            "{\"metadata\":{},\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\"}}",
            "is the index of weights in several files; load it"
        ),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n",
            "is a pointer of Git LFS in place of the file; get the file"
        ),
        ("404: Not Found", "is text, and begins with '404: Not Found'; if it was downloaded, see what the server says"),
        (String(repeating: "ö", count: 3000), "is text, and begins with 'öööö"),
    ])
    func textsAreQuoted(text: String, expected: String) {
        let found = refusal(Array(text.utf8))
        #expect(found.hasPrefix("page.pth is no file of weights that can be read (safetensors, PyTorch): it " + expected), "\(found)")
    }

    @Test(
        arguments: [
            ([], "is empty; \(again)"), ([1, 2, 3], "has 3 bytes, too few for weights; \(again)"),
            ([UInt8](repeating: 0, count: 100_000), "begins with 4096 zeros, as a download does that was cut off; \(again)"),
            ([0x1f, 0x8b, 8, 0], "is compressed (gzip); unpack it first with gunzip"),
            ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "is compressed (xz); unpack it first with unxz"),
            ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "is a 7z archive; unpack it first"),
            ([UInt8](repeating: 97, count: 257) + Array("ustar\0".utf8), "is a tar archive; unpack it first"),
            ([0x50, 0x4b, 5, 6], "is an empty zip archive; \(again)"),
            ([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a], "is an HDF5 file, as Keras writes them; \(saveAgain)"),
            ([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0], "is a NumPy array (.npy); \(saveAgain)"),
            ([8, 8, 0x12, 7] + Array("pytorch".utf8), "is an ONNX model; \(saveAgain)"),
            ([8, 1, 0x12, 0xff, 1], "is a TensorFlow SavedModel; \(saveAgain)"),
            ([0xff, 0xd8, 0xff, 0xe0], "is a picture; name a file of weights"),
            ([UInt8](200...255) + [UInt8](200...255), "begins with the bytes c8 c9 ca cb cc cd ce cf, which neither does; \(again)"),
        ] as [([UInt8], String)])
    func bytesAreKnownByTheirBeginning(bytes: [UInt8], expected: String) {
        let found = refusal(bytes)
        #expect(found.hasPrefix("page.pth is no file of weights that can be read (safetensors, PyTorch): it " + expected), "\(found)")
    }

    /// Cut off at any place, a safetensors file says that it was; with any byte changed it is read or refused.
    @Test func cutOffFilesAreTold() {
        let whole = SafetensorsTests.libraryBytes
        for length in 1..<whole.count {
            let found = refusal(Array(whole.prefix(length)))
            #expect(found.hasSuffix(Self.again), "\(length) bytes: \(found)")
            var changed = whole
            changed[length] ^= 0x5a
            _ = refusal(changed)
            #expect(length < 8 || found.hasPrefix("page.pth is not a whole safetensors file: "), "\(length) bytes: \(found)")
        }
    }

    @Test func foldersAreTold() {
        #expect(throws: Failure("cannot read /: it is a folder; name a file of weights in it")) { try WeightFile(path: "/") }
    }

    @Test func pagesCannotWriteToTheTerminal() {
        #expect(!refusal(Array("<html>\u{9b}2J\u{7}".utf8)).contains("\u{9b}"))
    }
}
