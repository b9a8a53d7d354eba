import Console
import Foundation
import Testing

@Suite struct ArgumentsTests {
    @Test func takesOptionsFlagsAndOperandsInAnyOrder() {
        var arguments = Arguments("tool", about: "", arguments: ["in.mp4", "--count=3", "--fast", "--set", "a=1", "--set", "b=2", "out"])
        let count = arguments.value("--count", "N", "how many", default: 1)
        #expect(count == 3)
        let scale = arguments.value("--scale", "X", "how much", default: 0.5)
        #expect(scale == 0.5)
        let fast = arguments.flag("--fast", "hurry")
        #expect(fast)
        let set = arguments.values("--set", "KEY=VALUE", "override")
        #expect(set == ["a=1", "b=2"])
        let name = arguments.value("--name", "NAME", "name")
        #expect(name == nil)
        let input = arguments.operand("INPUT", "what to read")
        #expect(input == "in.mp4")
        let output = arguments.remainingOperands("OUTPUT", "where to")
        #expect(output == ["out"])
        #expect(arguments.mistakesFound.isEmpty)
    }

    @Test func namesEveryMistake() {
        var arguments = Arguments("tool", about: "", arguments: ["--count", "three", "--sed", "1", "--name"])
        _ = arguments.value("--count", "N", "how many", default: 1)
        _ = arguments.value("--seed", "N", "seed", default: 0)
        _ = arguments.value("--name", "NAME", "name")
        _ = arguments.required("--root", "FOLDER", "root")
        let mistakes = arguments.mistakesFound
        #expect(mistakes.contains("--count wants a whole number, not 'three'"))
        #expect(mistakes.contains("there is no option --sed; did you mean --seed?"))
        #expect(mistakes.contains("--name wants a value: --name NAME"))
        #expect(mistakes.contains("--root FOLDER is missing"))
    }

    @Test func helpListsEverything() {
        var arguments = Arguments("tool run", about: "Runs.", arguments: [])
        _ = arguments.value("--count", "N", "how many", default: 4)
        _ = arguments.operand("INPUT", "what to read")
        let help = arguments.helpText(width: 80)
        #expect(help.hasPrefix("Runs.\n\nusage: tool run [options] INPUT"))
        #expect(help.contains("--count N") && help.contains("how many (default 4)") && help.contains("--help"))
    }

    @Test func valuesMayBeginWithDashes() {
        var arguments = Arguments("tool", about: "", arguments: ["--name=--x=1", "--scale", "-0.5", "--set=a=b", "--empty=", "-"])
        let name = arguments.value("--name", "NAME", "name")
        let scale = arguments.value("--scale", "X", "how much", default: 1.0)
        let set = arguments.values("--set", "KEY=VALUE", "override")
        let empty = arguments.value("--empty", "TEXT", "nothing")
        let operand = arguments.operand("INPUT", "what to read")
        #expect(name == "--x=1" && scale == -0.5 && set == ["a=b"] && empty == "" && operand == "-")
        #expect(arguments.mistakesFound.isEmpty)
    }

    @Test func wordsBehindTwoDashesAreNoOptions() {
        var arguments = Arguments("tool", about: "", arguments: ["--fast", "--", "--input", "--help", "--"])
        let fast = arguments.flag("--fast", "hurry")
        let input = arguments.value("--input", "FILE", "input")
        let words = arguments.remainingOperands("FILE", "what to read")
        #expect(fast && input == nil && words == ["--input", "--help", "--"])
        #expect(arguments.mistakesFound.isEmpty)
    }

    @Test func anOptionOfOneValueStandsOnce() {
        var arguments = Arguments(
            "tool", about: "",
            arguments: ["--pipeline", "a", "--count", "1", "--pipeline=b", "--fast", "--fast", "--count=2", "--json=yes"])
        _ = arguments.required("--pipeline", "FILE", "pipeline")
        let count: Int? = arguments.value("--count", "N", "how many")
        let fast = arguments.flag("--fast", "hurry")
        _ = arguments.flag("--json", "print JSON")
        #expect(count == 2 && fast)
        #expect(
            arguments.mistakesFound == [
                "--pipeline takes one value, not a and b", "--count takes one value, not 1 and 2", "--json takes no value",
            ])
    }

    @Test func anOptionalNumberIsChecked() {
        var arguments = Arguments("tool", about: "", arguments: ["--heads", "many", "--heds=3"])
        let heads: Int? = arguments.value("--heads", "N", "heads")
        let depth: Int? = arguments.value("--depth", "N", "depth")
        #expect(heads == nil && depth == nil)
        #expect(
            arguments.mistakesFound == ["--heads wants a whole number, not 'many'", "there is no option --heds; did you mean --heads?"])
    }

    @Test(arguments: [40, 60, 80, 100, 200]) func helpIsWrapped(width: Int) {
        var arguments = Arguments(
            "tool run",
            about: """
                Runs what is given, and says so in a sentence that is longer than any terminal of eighty columns
                has room for, over two lines.

                The same as
                  program --first value --second value --third value --fourth value --fifth value --sixth value --seventh value
                """, arguments: [])
        _ = arguments.value("--count", "N", "how many of them there are to be, at the very least, in words that do not fit", default: 4)
        _ = arguments.value("--positions", "interpolate|recompute|leave-alone", "how positions of other sizes come about, and where from")
        _ = arguments.remainingOperands("INPUT", "what to read")
        let help = arguments.helpText(width: width)
        let lines = help.split(separator: "\n", omittingEmptySubsequences: false)
        for line in lines where !line.contains("interpolate|") { #expect(line.count <= width, "\(line)") }
        func words(_ text: some StringProtocol) -> [Substring] { String(text).split { $0 == " " || $0 == "\n" } }
        let command = lines.drop { $0 != "The same as" }.dropFirst().prefix { !$0.isEmpty }
        #expect(command.dropLast().allSatisfy { $0.hasSuffix(" \\") } && (width > 110) == (command.count == 1))
        #expect(
            words(command.joined(separator: " ")).filter { $0 != "\\" }
                == words(
                    "program --first value --second value --third value --fourth value --fifth value --sixth value --seventh value"))
        let column = min(34, width * 2 / 5) + 4
        let start = lines.firstIndex { $0.hasPrefix("  --count N ") }!
        let further = lines[(start + 1)...].prefix { $0.hasPrefix("    ") }
        #expect(further.allSatisfy { $0.prefix(column).allSatisfy { $0 == " " } && $0.dropFirst(column).first != " " })
        #expect(further.isEmpty == (width == 200))
        let told = "how many of them there are to be, at the very least, in words that do not fit (default 4)"
        #expect(words(lines[start].dropFirst(column)) + further.flatMap { words($0) } == words(told))
    }

    /// The width of a terminal is asked of its descriptor; a pipe has none.
    @Test func theTerminalTellsItsWidth() throws {
        let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try #require(terminal >= 0)
        defer { close(terminal) }
        var size = winsize(ws_row: 24, ws_col: 67, ws_xpixel: 0, ws_ypixel: 0)
        #expect(ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0)
        #expect(terminalWidth(of: terminal) == 67)
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        #expect(terminalWidth(of: file) == nil)
    }

    @Test(arguments: [(3.4, "3 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (.infinity, "unknown")])
    func durationsReadWell(seconds: Double, text: String) {
        #expect(formatDuration(seconds) == text)
    }
}
