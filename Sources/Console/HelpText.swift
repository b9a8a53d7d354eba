import Foundation

/// The width that `--help` is wrapped at: `COLUMNS`, else that of the terminal, else 80.
public var helpWidth: Int {
    let wanted = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    return max(40, wanted ?? terminalWidth(of: STDOUT_FILENO) ?? 80)
}

/// The columns of the terminal that a descriptor belongs to; nil where it is none.
package func terminalWidth(of descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
}

/// The help of a program that has commands of its own.
public func commandHelp(
    about: String, usage: String, commands: [(name: String, about: String)], closing: String, width: Int = helpWidth
) -> String {
    [
        wrapped(about, width: width), wrapped("usage: " + usage, width: width, indent: 7),
        helpTable(commands.map { ($0.name, $0.about) }, width: width), wrapped(closing, width: width),
    ].joined(separator: "\n\n")
}

/// Forms and what they mean, in two columns.
func helpTable(_ rows: [(form: String, help: String)], width: Int) -> String {
    let column = min(34, width * 2 / 5, rows.map(\.form.count).max() ?? 0)
    return rows.map { form, help in
        let lines = wrappedLines(help, width: width - column - 4)
        let start = "  " + form.padding(toLength: max(form.count, column), withPad: " ", startingAt: 0)
        let indent = String(repeating: " ", count: column + 4)
        // A form that is too long stands on a line of its own.
        return form.count <= column
            ? start + "  " + lines.joined(separator: "\n" + indent) : ([start] + lines).joined(separator: "\n" + indent)
    }.joined(separator: "\n")
}

/// Text in lines of at most `width`, those after a paragraph's first indented.
///
/// Blank lines part paragraphs, whose other line ends mean nothing. A line that begins with a space is a command: it stands alone, and
/// continues as a shell reads it.
func wrapped(_ text: String, width: Int, indent: Int = 0) -> String {
    var blocks: [String] = []
    var paragraph: [Substring] = []
    func finishParagraph() {
        let lines = wrappedLines(paragraph.joined(separator: " "), width: width - indent)
        if !paragraph.isEmpty { blocks.append(lines.joined(separator: "\n" + String(repeating: " ", count: indent))) }
        paragraph = []
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.isEmpty {
            finishParagraph()
            blocks.append("")
        } else if line.hasPrefix(" ") {
            finishParagraph()
            blocks.append("  " + wrappedLines(String(line), width: width - 8).joined(separator: " \\\n      "))
        } else {
            paragraph.append(line)
        }
    }
    finishParagraph()
    return blocks.joined(separator: "\n")
}

/// Words put into lines of at most `width`; a longer word stands alone.
private func wrappedLines(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
        if let last = lines.last, last.count + 1 + word.count <= width {
            lines[lines.count - 1] = last + " " + word
        } else {
            lines.append(String(word))
        }
    }
    return lines
}
