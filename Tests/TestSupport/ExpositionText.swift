/// Prometheus' text format 0.0.4, read strictly by its published grammar: what a scraper would make of a page.
public struct ExpositionText {
    public struct Family: Equatable {
        public var type: String
        public var help: String

        public init(type: String, help: String) { (self.type, self.help) = (type, help) }
    }

    /// A sample's name with its suffix, and its labels.
    public struct Key: Hashable {
        public var name: String
        public var labels: [String: String]

        public init(name: String, labels: [String: String] = [:]) { (self.name, self.labels) = (name, labels) }
    }

    struct Mistake: Error {
        var line: String
        var reason: String
    }

    public private(set) var families: [String: Family] = [:]
    public private(set) var samples: [Key: Double] = [:]

    public init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Mistake(line: text, reason: "the last line has no end") }
        var help: (name: String, text: String)?
        var current: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) {
            func check(_ holds: Bool, _ reason: String) throws { if !holds { throw Mistake(line: line, reason: reason) } }
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            if line.hasPrefix("# HELP ") {
                try check(words.count > 2, "no name")
                help = (words[2], words.count > 3 ? words[3] : "")
            } else if line.hasPrefix("# TYPE ") {
                try check(words.count == 4, "no name and type")
                let name = words[2]
                try check(Self.isName(name) && families[name] == nil, "not a new name")
                try check(["counter", "gauge", "summary"].contains(words[3]), "an unknown type")
                try check(help?.name == name, "no HELP before it")
                families[name] = Family(type: words[3], help: help!.text)
                current = name
            } else {
                var rest = Substring(line)
                var key = Key(name: String(rest.prefix { $0 != "{" && $0 != " " }))
                rest = rest.dropFirst(key.name.count)
                let suffixes = current.map { families[$0]?.type == "summary" ? ["_sum", "_count"] : [""] } ?? []
                try check(suffixes.contains { current! + $0 == key.name }, "a sample outside its family")
                if rest.first == "{" { key.labels = try Self.labels(&rest, line) }
                try check(rest.first == " ", "no value")
                let text = rest.dropFirst()
                let value = ["NaN": Double.nan, "+Inf": .infinity, "-Inf": -.infinity][String(text)] ?? Double(text)
                try check(value != nil && samples[key] == nil, "no number, or a sample twice")
                samples[key] = value
            }
        }
    }

    private static func isName(_ name: String) -> Bool {
        name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") } && name.first?.isNumber == false
    }

    /// `{name="value",…}` with \\, \" and \n in values.
    private static func labels(_ rest: inout Substring, _ line: String) throws -> [String: String] {
        var labels: [String: String] = [:]
        rest = rest.dropFirst()
        while rest.first != "}" {
            let name = String(rest.prefix { $0 != "=" })
            rest = rest.dropFirst(name.count + 1)
            guard isName(name), rest.popFirst() == "\"" else { throw Mistake(line: line, reason: "not a label") }
            var value = ""
            while let character = rest.popFirst(), character != "\"" {
                guard character == "\\" else {
                    value.append(character)
                    continue
                }
                guard let escaped = rest.popFirst(), let meant = ["\\": "\\", "\"": "\"", "n": "\n"][escaped] else {
                    throw Mistake(line: line, reason: "an unknown escape")
                }
                value += meant
            }
            labels[name] = value
            if rest.first == "," { rest = rest.dropFirst() }
            if rest.isEmpty { throw Mistake(line: line, reason: "labels without an end") }
        }
        rest = rest.dropFirst()
        return labels
    }
}
