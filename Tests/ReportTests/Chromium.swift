import Foundation
import TestSupport

/// A browser without a window, for pages that are files.
struct Chromium {
    static let program = Programs.find("chromium")
    static let absence = "no Chromium to open reports; 'apt-get install chromium' installs it"

    /// Where it may keep its own files.
    let folder: String
    var width = 1280
    var isDark = false

    /// The page as it is once its scripts have run; `script` runs after them.
    func page(_ path: String, running script: String = "") throws -> String {
        var text = try String(contentsOfFile: path, encoding: .utf8)
        // The page runs no script without its own number.
        let number = text.firstMatch(of: /<script nonce="([^"]+)"/)!.1
        text = text.replacing("</body>", with: "<script nonce=\"\(number)\">\(script)</script></body>")
        let copy = folder + "/copy.html"
        try Data(text.utf8).write(to: URL(fileURLWithPath: copy))
        return try run(["--dump-dom", "file://" + copy])
    }

    func screenshot(_ path: String, to picture: String, height: Int) throws {
        _ = try run(["--screenshot=" + picture, "file://" + path], height: height)
    }

    private func run(_ arguments: [String], height: Int = 900) throws -> String {
        let shared = [
            "60", Self.program!, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--user-data-dir=\(folder)/profile",
            "--window-size=\(width),\(height)", "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)",
        ]
        return try Programs.run(path: "/usr/bin/timeout", shared + arguments).output
    }
}
