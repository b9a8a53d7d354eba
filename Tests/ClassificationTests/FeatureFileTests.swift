import Classification
import Foundation
import TestSupport
import Testing

/// Features on disk.
@Suite struct FeatureFileTests {
    @Test func anInterruptedFileGoesOn() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/features.npy"
            do {
                let file = try FeatureFile(path, rows: 4, width: 2)
                #expect(file.missing == [0, 1, 2, 3])
                try file.write([1, 2], row: 0)
                try file.write(nil, row: 1)
                try file.write([5, 6], row: 2)
            }
            // A row that was cut off is written anew.
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data([0, 0, 0]))
            let file = try FeatureFile(path, rows: 4, width: 2)
            #expect(file.missing == [1, 3])
            try file.write(nil, row: 1)
            try file.write([7, 8], row: 3)
            let features = file.features(labels: [3, 4, 5, 6])
            #expect(features.labels == [3, 5, 6])
            #expect(features.gather([2, 0]) == [7, 8, 1, 2])
            #expect(throws: (any Error).self) { try FeatureFile(path, rows: 4, width: 3) }
        }
    }

    @Test(.enabled(if: Peers.python != nil, "\(Peers.absence)")) func numPyReadsIt() throws {
        try withTemporaryFolder { folder in
            let script = folder + "/read.py"
            try Data("import sys, numpy\nprint(numpy.load(sys.argv[1]).tolist())\n".utf8).write(to: URL(fileURLWithPath: script))
            _ = try ClassFeatures.make([1, 2.5, -3, 4, 5, 6], labels: [0, 1], at: folder + "/features.npy")
            #expect(try Peers.run(script, [folder + "/features.npy"]) == "[[1.0, 2.5, -3.0], [4.0, 5.0, 6.0]]\n")
        }
    }
}
