import Foundation

/// The command line of one program.
///
/// Each call declares an option and takes its value at once, so that one list of calls is the parser and the help text. Mistakes are
/// kept until ``finish()``, which prints the help or every mistake and ends the program; values read before a mistake are placeholders.
public struct Arguments {
    private let program: String
    private let about: String
    private var rest: [String]
    private var options: [(form: String, help: String)] = []
    private var operands: [(form: String, help: String)] = []
    private var names: [String] = []
    private var mistakes: [String] = []

    /// - Parameters:
    ///   - program: the name in usage and messages; may hold a subcommand ("tandem prepare").
    ///   - about: what the program does, one or two sentences.
    ///   - arguments: the words after the program's name.
    public init(_ program: String, about: String, arguments: [String] = Array(CommandLine.arguments.dropFirst())) {
        self.program = program
        self.about = about
        self.rest = arguments.flatMap { word -> [String] in
            guard word.hasPrefix("--"), let equals = word.firstIndex(of: "=") else { return [word] }
            return [String(word[..<equals]), String(word[word.index(after: equals)...])]
        }
    }

    /// A switch without a value.
    public mutating func flag(_ name: String, _ help: String) -> Bool {
        declare(name, name, help)
        guard let at = rest.firstIndex(of: name) else { return false }
        rest.remove(at: at)
        return true
    }

    /// Every value of an option that may stand several times.
    public mutating func values(_ name: String, _ placeholder: String, _ help: String) -> [String] {
        declare(name, "\(name) \(placeholder)", help)
        return takeValues(name, placeholder)
    }

    /// The value of an optional option, nil where it is absent.
    public mutating func value(_ name: String, _ placeholder: String, _ help: String) -> String? {
        declare(name, "\(name) \(placeholder)", help)
        return takeValues(name, placeholder).last
    }

    /// The value of an option that must stand.
    public mutating func required(_ name: String, _ placeholder: String, _ help: String) -> String {
        declare(name, "\(name) \(placeholder)", "\(help) (required)")
        if let value = takeValues(name, placeholder).last { return value }
        mistakes.append("\(name) \(placeholder) is missing")
        return ""
    }

    /// The typed value of an option, or its default.
    public mutating func value<Value: LosslessStringConvertible>(
        _ name: String, _ placeholder: String, _ help: String, default fallback: Value
    ) -> Value {
        let shown = "\(fallback)".isEmpty ? "" : " (default \(fallback))"
        declare(name, "\(name) \(placeholder)", help + shown)
        guard let text = takeValues(name, placeholder).last else { return fallback }
        guard let value = Value(text) else {
            mistakes.append("\(name) wants \(Self.noun(for: Value.self)), not '\(text)'")
            return fallback
        }
        return value
    }

    /// The next word that is not an option. Call after all options are declared.
    public mutating func operand(_ placeholder: String, _ help: String) -> String {
        operands.append((placeholder, help))
        if let at = rest.firstIndex(where: { !$0.hasPrefix("-") }) { return rest.remove(at: at) }
        mistakes.append("\(placeholder) is missing")
        return ""
    }

    /// All remaining words that are not options. Call last.
    public mutating func remainingOperands(_ placeholder: String, _ help: String) -> [String] {
        operands.append(("\(placeholder)…", help))
        let words = rest.filter { !$0.hasPrefix("-") }
        rest.removeAll { !$0.hasPrefix("-") }
        return words
    }

    /// Records a mistake that the caller found in a value.
    public mutating func refuse(_ mistake: String) {
        mistakes.append(mistake)
    }

    /// Prints the help and exits with 0 where it was asked for; prints every mistake and exits with 2 where there is one.
    public func finish() {
        if rest.contains("--help") || rest.contains("-h") {
            print(helpText)
            exit(0)
        }
        let all = mistakesFound
        guard !all.isEmpty else { return }
        for mistake in all { writeError("\(program): \(mistake)\n") }
        writeError("Try '\(program) --help'.\n")
        exit(2)
    }

    /// Every mistake found so far, words that nothing declared included.
    public var mistakesFound: [String] {
        mistakes
            + rest.map { word in
                guard word.hasPrefix("-") else { return "'\(word)' is one word too many" }
                guard let near = nearestName(to: word, in: names) else { return "there is no option \(word)" }
                return "there is no option \(word); did you mean \(near)?"
            }
    }

    /// The text that `--help` prints.
    public var helpText: String {
        let rows = operands + options + [("--help", "print this text")]
        let width = min(34, rows.map(\.form.count).max() ?? 0)
        let usage = ([program] + (options.isEmpty ? [] : ["[options]"]) + operands.map(\.form)).joined(separator: " ")
        let lines = rows.map { row in
            row.form.count <= width
                ? "  " + row.form.padding(toLength: width, withPad: " ", startingAt: 0) + "  " + row.help
                : "  " + row.form + "\n" + String(repeating: " ", count: width + 4) + row.help
        }
        return "\(about)\n\nusage: \(usage)\n\n" + lines.joined(separator: "\n")
    }

    private mutating func declare(_ name: String, _ form: String, _ help: String) {
        names.append(name)
        options.append((form, help))
    }

    private mutating func takeValues(_ name: String, _ placeholder: String) -> [String] {
        var values: [String] = []
        while let at = rest.firstIndex(of: name) {
            guard at + 1 < rest.count, !rest[at + 1].hasPrefix("--") else {
                mistakes.append("\(name) wants a value: \(name) \(placeholder)")
                rest.remove(at: at)
                continue
            }
            values.append(rest[at + 1])
            rest.removeSubrange(at...at + 1)
        }
        return values
    }

    private static func list<Words: CaseIterable>(_ words: Words.Type) -> String {
        words.allCases.map { "\($0)" }.joined(separator: " or ")
    }

    private static func noun(for type: Any.Type) -> String {
        switch type {
        case is Int.Type: "a whole number"
        case is Double.Type, is Float.Type: "a number"
        case let words as any CaseIterable.Type: list(words)
        default: "a \(type)"
        }
    }
}

/// The name that was probably meant: the nearest by edit distance, nil where none is near.
public func nearestName(to word: String, in names: [String]) -> String? {
    func distance(_ a: [Character], _ b: [Character]) -> Int {
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let substituted = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
    let ranked = names.map { (name: $0, distance: distance(Array(word.lowercased()), Array($0.lowercased()))) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= max(2, word.count / 3) else { return nil }
    return best.name
}
