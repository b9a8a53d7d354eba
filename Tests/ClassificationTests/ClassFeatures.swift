import Classification
import Foundation
import TestSupport

/// Features of classes that lie about centres of their own, and overlap a little.
enum ClassFeatures {
    /// - Parameter path: where they go; nil: nowhere that anybody sees.
    static func make(_ count: Int, width: Int, classes: Int, seed: UInt64, at path: String? = nil) throws -> Features {
        let centres = TestNumbers.normal(classes * width, seed: 77)
        let noise = TestNumbers.normal(count * width, seed: seed)
        let labels = (0..<count).map { $0 * 5 % classes }
        return try make(
            (0..<count * width).map { 3 + 0.5 * centres[labels[$0 / width] * width + $0 % width] + 0.7 * noise[$0] }, labels: labels,
            at: path)
    }

    /// Features given as they are.
    static func make(_ values: [Float], labels: [Int], at path: String? = nil) throws -> Features {
        let width = values.count / labels.count
        let file = try FeatureFile(path, rows: labels.count, width: width)
        for row in labels.indices { try file.write(Array(values[row * width..<(row + 1) * width]), row: row) }
        return file.features(labels: labels)
    }
}
