import Foundation
import TestSupport

/// A run's folder, written by hand.
struct TinyRun {
    let path: String

    init(_ path: String, settings: String = "{ name: \"tiny\", seed: 1, mask: { ratio: 0.75 } }") throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path + "/figures", withIntermediateDirectories: true)
        try write("pipeline.json5", settings)
        try write("log.txt", (1...40).map { Self.line($0) + "\n" }.joined())
        try write("scores.jsonl", "{\"step\": 0, \"davis_jf\": 10.5}\n{\"step\": 40, \"davis_jf\": 30.25, \"davis_jf/bear\": 31}\n")
    }

    func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name)) }

    func write(_ name: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name)) }

    static func line(_ step: Int) -> String {
        "{\"epoch\": 1.0, \"step\": \(step), \"train_loss\": \(1 / Double(step)), \"train_lr\": 0.001, \"decoders\": 2}"
    }

    /// A white pixel.
    static let png: [UInt8] = Array(
        Data(base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==")!)
}
