import Base
import Files
import Foundation
import Models
import Recipes
import Training

/// What is wrong with a pipeline, in one sentence with file, line and key.
public struct PipelineMistake: Error, Equatable, CustomStringConvertible {
    public let description: String
}

extension Pipeline {
    /// Reads, completes and checks a pipeline file.
    ///
    /// - Parameters:
    ///   - path: a JSON5 file; keys that it leaves out have their defaults.
    ///   - overrides: `key.path=value` each, as `--set` gives them; they win over the file.
    /// - Throws: ``PipelineMistake`` for an unreadable file, bad syntax, unknown keys, wrong types and impossible values.
    public static func load(_ path: String, overrides: [String] = []) throws -> Pipeline {
        if let obstacle = obstacleToReading(path) {
            throw PipelineMistake(description: "\(path): \(obstacle); see Pipelines/ for the pipeline files that come with Tandem")
        }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw PipelineMistake(description: "\(path) cannot be read")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PipelineMistake(description: "\(path) is no text in UTF-8; save it as UTF-8")
        }
        return try parse(text, source: path, overrides: overrides)
    }

    /// The same for a run of some trainers, nil where nothing was said of any: steps are cut into shards, enough of them where it says nothing.
    public static func load(_ path: String, overrides: [String], trainers: Int?) throws -> Pipeline {
        let pipeline = try load(path, overrides: overrides)
        guard let trainers else { return pipeline }
        guard (1...1024).contains(trainers) else { throw Failure("--trainers \(trainers): 1 to 1024 can share the steps of a run") }
        guard pipeline.train.shards == 1 else { return pipeline }
        return try load(path, overrides: overrides + ["train.shards=\(Shards.usual(forTrainers: trainers))"])
    }

    /// The same from a text; `source` names it in messages.
    public static func parse(_ text: String, source: String, overrides: [String] = []) throws -> Pipeline {
        var reader = PipelineReader(source: source)
        var tree = try reader.complete(text, overrides)
        for override in overrides { tree = try reader.apply(override, to: tree) }
        let pipeline = try reader.decode(tree)
        if let (path, message) = pipeline.firstImpossibleValue { throw reader.mistake(at: path, message) }
        return pipeline
    }

    /// The effective pipeline as a text: every key with its value.
    public var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // A structure of numbers and strings always encodes.
        return String(decoding: try! encoder.encode(self), as: UTF8.self)
    }
}

extension Pipeline {
    /// The keys of a size that stands at a path, where a name may stand for them; nil where no size stands.
    func sizeKeys(at path: String) -> [String]? { (value(at: path.split(separator: ".").map(String.init)) as? any SizeSetting)?.keys }

    /// What stands at a path of keys, nil where nothing does.
    func value(at path: [String]) -> Any? {
        path.reduce(self as Any?) { value, key in value.flatMap { children(of: $0).first { $0.key == key }?.value } }
    }

    /// The keys of a group and what stands there.
    func children(of group: Any) -> [(key: String, value: Any)] {
        let members = Mirror(reflecting: group).children.compactMap { child in child.label.map { ($0, child.value) } }
        guard group is Pipeline else { return members }
        // The recipe's groups stand beside the others, and its name under its key.
        return members.filter { $0.0 != "recipe" } + [("recipe", recipe.name)] + children(of: recipe.value)
    }
}

/// A setting that is a size, by name or in numbers.
private protocol SizeSetting { var keys: [String] { get } }
extension Named: SizeSetting { var keys: [String] { Size.keys } }

/// Merges a pipeline text into the defaults, remembering which line each key came from.
private struct PipelineReader {
    let source: String
    /// What a pipeline of the text's recipe has that names no other key.
    private var defaults = Pipeline()
    private var document = JSON5(.object([]), line: 1)
    private var overridden: Set<String> = []

    init(source: String) { self.source = source }

    /// The defaults of the recipe with the text's values in their places. The recipe comes first: it decides which keys there are.
    mutating func complete(_ text: String, _ overrides: [String]) throws -> JSON5 {
        do {
            document = try JSON5(parsing: text)
            defaults = Pipeline(try recipe(overrides))
            return try merge(document, into: JSON5(parsing: defaults.text), path: [])
        } catch let mistake as JSON5Mistake {
            throw PipelineMistake(description: "\(source), line \(mistake.line): \(mistake.message)")
        }
    }

    private mutating func recipe(_ overrides: [String]) throws -> AnyRecipe {
        var name: String?
        if case .string(let text) = document.find(["recipe"])?.value { name = text }
        if let override = overrides.last(where: { $0.hasPrefix("recipe=") }) {
            name = override.dropFirst("recipe=".count).trimmingCharacters(in: CharacterSet(charactersIn: "\"'"))
            overridden.insert("recipe")
        }
        guard let name else { return AnyRecipe() }
        guard let recipe = AnyRecipe(named: name) else {
            throw mistake(at: ["recipe"], "is \"\(name.onOneLine)\", which there is not: one of \(AnyRecipe.names.joined(separator: ", "))")
        }
        return recipe
    }

    /// The tree with one `key.path=value` applied.
    mutating func apply(_ override: String, to tree: JSON5) throws -> JSON5 {
        guard let equals = override.firstIndex(of: "=") else {
            throw PipelineMistake(description: "--set \(override): write KEY=VALUE, for example --set train.steps=100")
        }
        let path = override[..<equals].split(separator: ".").map(String.init)
        let text = String(override[override.index(after: equals)...])
        // What is no JSON5 value is taken as text, so that --set name=trial needs no quotes.
        let value = (try? JSON5(parsing: text)) ?? JSON5(.string(text), line: 0)
        overridden.insert(path.joined(separator: "."))
        let nested = path.reversed().reduce(value) { JSON5(.object([.init(key: $1, line: 0, value: $0)]), line: 0) }
        return try merge(nested, into: tree, path: [])
    }

    func decode(_ tree: JSON5) throws -> Pipeline {
        do {
            return try JSONDecoder().decode(Pipeline.self, from: Data(tree.strictText.utf8))
        } catch DecodingError.typeMismatch(let type, let context) {
            throw mistake(at: keys(context), "wants \(words(at: keys(context)) ?? noun(type))")
        } catch DecodingError.keyNotFound(let key, let context) {
            throw mistake(at: keys(context), "wants the key '\(key.stringValue)' too")
        } catch DecodingError.valueNotFound(let type, let context) {
            throw mistake(at: keys(context), "wants \(noun(type)), not null")
        } catch DecodingError.dataCorrupted(let context) {
            if let words = words(at: keys(context)) { throw mistake(at: keys(context), "is no word that it knows; it wants \(words)") }
            guard context.codingPath.isEmpty else { throw mistake(at: keys(context), "is a number out of range") }
            let place = overridden.isEmpty ? source : "\(source), or --set \(overridden.sorted().joined(separator: ", "))"
            throw PipelineMistake(
                description: "\(place): a number is out of range: whole numbers go up to 2^63 - 1, 'seed' from 0 to 2^64 - 1")
        }
    }

    func mistake(at path: [String], _ message: String) -> PipelineMistake {
        let key = path.joined(separator: ".")
        if overridden.contains(where: { key == $0 || key.hasPrefix($0 + ".") }) {
            return PipelineMistake(description: "--set \(key): \(message)")
        }
        let line = document.find(path[...]).map { ", line \($0.line)" } ?? ""
        return PipelineMistake(description: "\(source)\(line): '\(key)' \(message)")
    }

    /// Keys of older pipelines, and what they are called in their group now.
    private static let renamed = ["dataflow.patience": "timeout"]

    private func merge(_ user: JSON5, into base: JSON5, path: [String]) throws -> JSON5 {
        let dotted = path.joined(separator: ".")
        guard case .object(let given) = user.value else {
            try checkWholeNumbers(user, path: path)
            return user
        }
        guard case .object(var members) = base.value, defaults.sizeKeys(at: dotted) == nil else {
            for member in given {
                if let known = defaults.sizeKeys(at: dotted) { try check(member, among: known, path: path) }
                try checkWholeNumbers(member.value, path: path + [member.key])
            }
            return user
        }
        for var member in given {
            member.key = Self.renamed[(path + [member.key]).joined(separator: ".")] ?? member.key
            try check(member, among: members.map(\.key), path: path)
            let at = members.firstIndex { $0.key == member.key }!
            members[at].value = try merge(member.value, into: members[at].value, path: path + [member.key])
        }
        return JSON5(.object(members), line: base.line)
    }

    /// Foundation's decoder refuses 1.5 for a whole number without saying where.
    private func checkWholeNumbers(_ user: JSON5, path: [String]) throws {
        // A number within a size stands below the size.
        let values = path.indices.map { defaults.value(at: Array(path[...$0])) }
        guard values.contains(where: { $0 is Int || $0 is UInt64 || $0 is [Int] || $0 is any SizeSetting }) else { return }
        switch user.value {
        case .number(let text) where UInt64(text) == nil && Int(text) == nil: throw mistake(at: path, "wants a whole number, not \(text)")
        case .array(let items): for item in items { try checkWholeNumbers(item, path: path) }
        default: break
        }
    }

    private func check(_ member: JSON5.Member, among known: [String], path: [String]) throws {
        guard !known.contains(member.key) else { return }
        let place = member.line > 0 ? "\(source), line \(member.line)" : "--set"
        let section = path.isEmpty ? "a pipeline" : "'\(path.joined(separator: "."))'"
        throw PipelineMistake(
            description: "\(place): there is no key '\(member.key)' in \(section); it has \(known.sorted().joined(separator: ", "))")
    }

    private func keys(_ context: DecodingError.Context) -> [String] {
        context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
    }

    /// The words that a key takes, where it takes a few words only.
    private func words(at path: [String]) -> String? {
        let value = defaults.value(at: path)
        guard let value, let type = type(of: value) as? any CaseIterable.Type else { return nil }
        return listOfWords(type)
    }

    private func noun(_ type: Any.Type) -> String {
        switch type {
        case is Int.Type, is UInt64.Type: "a whole number"
        case is Double.Type: "a number"
        case is String.Type: "a text in quotes"
        case is Bool.Type: "true or false"
        case is [Int].Type, is [Double].Type, is [Any].Type: "a list of numbers"
        default: "a group in braces { }"
        }
    }
}

/// The words of a type that has a few, as a message lists them; nil of other types.
private func listOfWords<Value: CaseIterable>(_ type: Value.Type) -> String? {
    let words = type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }.map { "\"\($0)\"" }
    guard let last = words.last else { return nil }
    return words.count > 1 ? words.dropLast().joined(separator: ", ") + " or " + last : last
}
