import Foundation

/// The command line of one program.
///
/// Each call declares an option and takes its value at once, so that one list of calls is the parser and the help text. Mistakes are
/// kept until ``finish()``, which prints the help or every mistake and ends the program; values read before a mistake are placeholders.
///
/// A value follows its option as the next word, or behind "=" where it begins with "--" itself. Words behind "--" are no options.
public struct Arguments {
    private let program: String
    private let about: String
    /// The words that nothing has taken yet.
    private var rest: [Word]
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
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        rest = arguments[..<end].map { Word($0) } + arguments[end...].dropFirst().map { Word(operand: $0) }
    }

    /// A word of the command line.
    private struct Word {
        /// The word, of `--name=value` the name.
        let text: String
        /// The value of `--name=value`.
        var value: String?
        /// Whether it stands behind "--".
        var isOperand = false

        init(_ word: String) {
            let equals = word.hasPrefix("--") ? word.firstIndex(of: "=") : nil
            text = String(word[..<(equals ?? word.endIndex)])
            value = equals.map { String(word[word.index(after: $0)...]) }
        }

        init(operand: String) { (text, isOperand) = (operand, true) }

        var isOption: Bool { !isOperand && text.hasPrefix("-") && text != "-" }
        /// Whether it may be the value of an option before it; a number may be negative.
        var isValue: Bool { !isOperand && !text.hasPrefix("--") }
    }

    /// A switch without a value.
    public mutating func flag(_ name: String, _ help: String) -> Bool {
        declare(name, name, help)
        let found = rest.filter { $0.isOption && $0.text == name }
        rest.removeAll { $0.isOption && $0.text == name }
        if found.contains(where: { $0.value != nil }) { mistakes.append("\(name) takes no value") }
        return !found.isEmpty
    }

    /// Every value of an option that may stand several times.
    public mutating func values(_ name: String, _ placeholder: String, _ help: String) -> [String] {
        declare(name, "\(name) \(placeholder)", help)
        return takeValues(name, placeholder)
    }

    /// The value of an optional option, nil where it is absent.
    public mutating func value(_ name: String, _ placeholder: String, _ help: String) -> String? {
        declare(name, "\(name) \(placeholder)", help)
        return takeValue(name, placeholder)
    }

    /// The value of an option that must stand.
    public mutating func required(_ name: String, _ placeholder: String, _ help: String) -> String {
        declare(name, "\(name) \(placeholder)", "\(help) (required)")
        if let value = takeValue(name, placeholder) { return value }
        mistakes.append("\(name) \(placeholder) is missing")
        return ""
    }

    /// The typed value of an option, or its default.
    public mutating func value<Value: LosslessStringConvertible>(
        _ name: String, _ placeholder: String, _ help: String, default fallback: Value
    ) -> Value {
        let shown = "\(fallback)".isEmpty ? "" : " (default \(fallback))"
        return value(name, placeholder, help + shown) ?? fallback
    }

    /// The typed value of an optional option, nil where it is absent.
    public mutating func value<Value: LosslessStringConvertible>(_ name: String, _ placeholder: String, _ help: String) -> Value? {
        declare(name, "\(name) \(placeholder)", help)
        guard let text = takeValue(name, placeholder) else { return nil }
        let value = Value(text)
        if value == nil { mistakes.append("\(name) wants \(Self.noun(for: Value.self)), not '\(text)'") }
        return value
    }

    /// The next word that is not an option. Call after all options are declared.
    public mutating func operand(_ placeholder: String, _ help: String) -> String {
        operands.append((placeholder, help))
        if let at = rest.firstIndex(where: { !$0.isOption }) { return rest.remove(at: at).text }
        mistakes.append("\(placeholder) is missing")
        return ""
    }

    /// All remaining words that are not options. Call last.
    public mutating func remainingOperands(_ placeholder: String, _ help: String) -> [String] {
        operands.append(("\(placeholder)…", help))
        let words = rest.filter { !$0.isOption }.map(\.text)
        rest.removeAll { !$0.isOption }
        return words
    }

    /// Records a mistake that the caller found in a value.
    public mutating func refuse(_ mistake: String) {
        mistakes.append(mistake)
    }

    /// Prints the help and exits with 0 where it was asked for; prints every mistake and exits with 2 where there is one.
    public func finish() {
        if rest.contains(where: { $0.isOption && ["--help", "-h"].contains($0.text) }) {
            print(helpText())
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
                guard word.isOption else { return "'\(word.text)' is one word too many" }
                guard let near = nearestName(to: word.text, in: names) else { return "there is no option \(word.text)" }
                return "there is no option \(word.text); did you mean \(near)?"
            }
    }

    /// The text that `--help` prints, in lines of at most `width` where its words allow.
    public func helpText(width: Int = helpWidth) -> String {
        let usage = ([program] + (options.isEmpty ? [] : ["[options]"]) + operands.map(\.form)).joined(separator: " ")
        return [
            wrapped(about, width: width), wrapped("usage: " + usage, width: width, indent: 7),
            helpTable(operands + options + [("--help", "print this text")], width: width),
        ].joined(separator: "\n\n")
    }

    private mutating func declare(_ name: String, _ form: String, _ help: String) {
        names.append(name)
        options.append((form, help))
    }

    private mutating func takeValues(_ name: String, _ placeholder: String) -> [String] {
        var values: [String] = []
        while let at = rest.firstIndex(where: { $0.isOption && $0.text == name }) {
            if let value = rest.remove(at: at).value {
                values.append(value)
            } else if at < rest.count, rest[at].isValue {
                values.append(rest.remove(at: at).text)
            } else {
                mistakes.append("\(name) wants a value: \(name) \(placeholder)")
            }
        }
        return values
    }

    private mutating func takeValue(_ name: String, _ placeholder: String) -> String? {
        let values = takeValues(name, placeholder)
        if values.count > 1 { mistakes.append("\(name) takes one value, not \(values.joined(separator: " and "))") }
        return values.last
    }

    private static func list<Words: CaseIterable>(_ words: Words.Type) -> String {
        words.allCases.map { "\($0)" }.joined(separator: " or ")
    }

    private static func noun(for type: Any.Type) -> String {
        switch type {
        case is Int.Type: "a whole number"
        case is UInt64.Type: "a whole number from 0 to 2^64 - 1"
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
