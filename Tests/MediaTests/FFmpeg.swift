import Foundation

/// The `ffmpeg` program, which makes awkward clips and says what their frames hold.
enum FFmpeg {
    static let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { $0 + "/ffmpeg" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    static let absence = "no ffmpeg program to make clips and compare with; install ffmpeg"

    /// Runs it in a folder. Returns what it printed.
    @discardableResult
    static func run(_ arguments: [String], in folder: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path!)
        process.arguments = ["-nostdin", "-v", "error", "-threads", "1"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return output
    }
}
