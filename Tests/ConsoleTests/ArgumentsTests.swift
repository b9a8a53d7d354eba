import Console
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
        let help = arguments.helpText
        #expect(help.hasPrefix("Runs.\n\nusage: tool run [options] INPUT"))
        #expect(help.contains("--count N") && help.contains("how many (default 4)") && help.contains("--help"))
    }

    @Test(arguments: [(3.4, "3 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (.infinity, "unknown")])
    func durationsReadWell(seconds: Double, text: String) {
        #expect(formatDuration(seconds) == text)
    }
}
