import Foundation
import Media
import Sampling

/// A moving pattern: every picture differs from every other, and none is symmetric.
func testPicture(width: Int, height: Int, frame: Int) -> [UInt8] {
    var pixels = [UInt8](repeating: 0, count: width * height * 3)
    for y in 0..<height {
        for x in 0..<width {
            let p = (y * width + x) * 3
            pixels[p] = UInt8(truncatingIfNeeded: x + frame * 3)
            pixels[p + 1] = UInt8(truncatingIfNeeded: x * y / 64 + frame)
            pixels[p + 2] = UInt8(truncatingIfNeeded: y * 255 / height)
        }
    }
    return pixels
}

/// Writes a clip of ``testPicture(width:height:frame:)`` and returns its path.
@discardableResult
func writeTestClip(
    _ path: String, width: Int = 160, height: Int = 96, frames: Int = 60, framesPerSecond: Rational = Rational(30, 1),
    options: VideoWriter.Options = .init()
) throws -> String {
    var writer = try VideoWriter(path: path, width: width, height: height, framesPerSecond: framesPerSecond, options: options)
    for frame in 0..<frames {
        try testPicture(width: width, height: height, frame: frame).withUnsafeBytes { try writer.write(rgb: $0) }
    }
    try writer.finish()
    return path
}

/// The path of a file under Tests/Fixtures.
func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/" + name).path
}

extension Manifest {
    /// All records, checked.
    func records() throws -> [VideoRecord] {
        var records: [VideoRecord] = []
        try readAll { records.append($0) }
        return records
    }
}
