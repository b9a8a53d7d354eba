import Foundation
import MatFiles
import TestSupport
import Testing

struct MatArrayTests {
    private static let folder = Shared.folder.map { $0 + "/data/jhmdb" }

    private func refusal(_ bytes: [UInt8], _ name: String = "pos_img") throws -> String? {
        try withTemporaryFolder { folder in
            let path = folder + "/a.mat"
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            do {
                _ = try MatArray(name, of: path)
                return nil
            } catch { return "\(error)".replacingOccurrences(of: path, with: "a.mat") }
        }
    }

    /// MATLAB's own files: compressed elements, and plain ones in another order. The numbers are those that SciPy's loadmat reads.
    @Test(
        .enabled(if: folder != nil, "TANDEM_SHARED is not there"), arguments: ["joint_positions", "joint_positions_uncompressed"])
    func arraysOfMATLAB(_ kind: String) throws {
        let path = "\(Self.folder!)/\(kind)/catch/Goal_Keeping_Tips_catch_f_cm_np1_fr_med_2/joint_positions.mat"
        let array = try MatArray("pos_img", of: path)
        #expect(array.dimensions == [2, 15, 40])
        #expect(array.values[..<4].elementsEqual([286.5, 106.5, 289.5, 128.5]))
        #expect(abs(array.values.reduce(0, +) - 192261.9356172549) < 1e-6)
        #expect(throws: MatError.self) { try MatArray("pos", of: path) }
    }

    /// A version 5 file by hand: `a` is int16, 2 x 3, its numbers stored as bytes.
    static func handMade(dimensions: [Int32] = [2, 3], type: UInt8 = 10, data: [UInt8] = [1, 2, 3, 4, 5, 250]) -> [UInt8] {
        func words(_ numbers: [Int32]) -> [UInt8] { numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian, Array.init) } }
        func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8) }
        let flags = words([6, 8]) + [type, 0, 0, 0, 0, 0, 0, 0]
        let sizes = padded(words([5, Int32(dimensions.count) * 4]) + words(dimensions))
        let name = [1, 0, 1, 0, UInt8(ascii: "a"), 0, 0, 0] as [UInt8]
        let numbers = padded(words([2, Int32(data.count)]) + data)
        let body = flags + sizes + name + numbers
        let header = Array("MATLAB 5.0 MAT-file".utf8) + [UInt8](repeating: 32, count: 97) + [UInt8](repeating: 0, count: 8)
        return header + [0, 1] + Array("IM".utf8) + words([14, Int32(body.count)]) + body
    }

    @Test func numbersStoredInFewerBytesAreWidened() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.mat"
            try Data(Self.handMade()).write(to: URL(fileURLWithPath: path))
            #expect(try MatArray("a", of: path) == MatArray(dimensions: [2, 3], values: [1, 2, 3, 4, 5, 250]))
        }
    }

    @Test func filesThatAreNotSaneAreRefused() throws {
        #expect(try refusal([1, 2, 3]) == "a.mat: this is no MAT file")
        let other = "a.mat: this is no MAT file of version 5; MATLAB writes one with save(…, '-v7')"
        #expect(try refusal([UInt8](repeating: 7, count: 500)) == other)
        #expect(try refusal(Self.handMade(), "b") == "a.mat: the file holds no variable 'b', or is damaged before it")
        #expect(try refusal(Self.handMade(type: 4), "a") == "a.mat: 'a' is no array of real numbers")
        #expect(try refusal(Self.handMade(dimensions: [30_000, 30_000]), "a") == "a.mat: 'a' claims a size of [30000, 30000]")
        let damaged = try #require(try refusal(Self.handMade(dimensions: [-2, 3]), "a"))
        #expect(damaged.hasPrefix("a.mat: "))
        #expect(throws: MatError.self) { try MatArray("a", of: "/nowhere/a.mat") }
    }

    /// Cut off anywhere and with any one byte changed, a file is read or refused, and nothing else happens.
    @Test func damagedFilesDoNoHarm() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.mat"
            let plain = Self.handMade()
            try MatArray(dimensions: [2, 15, 4], values: (0..<120).map { Double($0) }).write("a", to: path)
            let compressed = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            for bytes in [plain, compressed] {
                for place in 124..<bytes.count {
                    for change in [0x01, 0x80, 0xff] as [UInt8] {
                        var damaged = bytes
                        damaged[place] ^= change
                        _ = try refusal(damaged, "a")
                    }
                    _ = try refusal(Array(bytes[..<place]), "a")
                }
            }
        }
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.mat"
            let array = MatArray(dimensions: [2, 15, 3], values: (0..<90).map { $0 == 7 ? .infinity : Double($0) / 3 })
            try array.write("pos_img", to: path)
            #expect(try MatArray("pos_img", of: path) == array)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.mat"])
            #expect(throws: MatError.self) { try array.write("pos_img", to: folder + "/nowhere/a.mat") }
        }
    }
}
