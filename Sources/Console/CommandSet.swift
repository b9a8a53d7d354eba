import Base

/// Commands of which the first word names one.
public struct CommandSet {
    public typealias Command = (name: String, about: String, run: ([String]) throws -> Void)

    private let program: String
    private let noun: String
    private let about: String
    private let commands: [Command]

    /// - Parameters:
    ///   - program: what stands before the word, "tandem bench".
    ///   - noun: what the word names, "benchmark".
    ///   - about: what all of them are for, in a sentence.
    ///   - commands: in the order in which help lists them.
    public init(_ program: String, noun: String, about: String, _ commands: [Command]) {
        (self.program, self.noun, self.about, self.commands) = (program, noun, about, commands)
    }

    /// Runs the command that the first word names with the other words; prints the help where there is none, or help is asked for.
    ///
    /// - Throws: what the command throws, and where there is none of the name.
    public func run(_ words: [String]) throws {
        let place = "\(program) \(noun.uppercased())"
        guard let word = words.first, !["--help", "-h", "help"].contains(word) else {
            return print(
                commandHelp(
                    about: about, usage: "\(place) [options]", commands: commands.map { ($0.name, $0.about) },
                    closing: "'\(place) --help' tells more."))
        }
        guard let command = commands.first(where: { $0.name == word }) else {
            let near = nearestName(to: word, in: commands.map(\.name)).map { "did you mean '\($0)'?" } ?? "'\(program) --help' lists them"
            throw Failure("there is no \(noun) '\(word)'; \(near)")
        }
        try command.run(Array(words.dropFirst()))
    }
}
