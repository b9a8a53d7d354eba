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
        guard width < Self.narrowest else { return try run(["--dump-dom", "file://" + copy]) }
        // What the page tells there gets out as a message.
        let frame = """
            <!DOCTYPE html><iframe width="\(width)" height="800" style="border: 0" src="copy.html"></iframe>
            <script>addEventListener("message", event => {
              const told = document.createElement("pre");
              told.textContent = event.data;
              document.body.append(told);
            });</script>
            """
        try Data(frame.utf8).write(to: URL(fileURLWithPath: folder + "/frame.html"))
        // Time does not go on before the frame has loaded.
        return try run(["--dump-dom", "--virtual-time-budget=3000", "file://\(folder)/frame.html"])
    }

    /// No window is narrower; a frame in it may be.
    private static let narrowest = 500

    func screenshot(_ path: String, to picture: String, height: Int) throws {
        _ = try run(["--screenshot=" + picture, "file://" + path], height: height)
    }

    private func run(_ arguments: [String], height: Int = 900) throws -> String {
        let shared = [
            "60", Self.program!, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--user-data-dir=\(folder)/profile",
            "--window-size=\(max(width, Self.narrowest)),\(height)", "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)",
        ]
        return try Programs.run(path: "/usr/bin/timeout", shared + arguments).output
    }
}
