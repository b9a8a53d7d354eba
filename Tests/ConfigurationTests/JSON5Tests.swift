import Base
import Configuration
import Testing

/// JSON5 as its standard has it (https://spec.json5.org; what it takes from ECMAScript 5.1 is named there): the tables are written from it.
@Suite struct JSON5Tests {
    /// The string that a text of JSON5 gives, by way of a key that takes any.
    private func string(_ literal: String) throws -> String {
        try Pipeline.parse("{ data: { media: \(literal) } }", source: "p").data.media
    }

    @Test(arguments: [
        // Section 5.1, table 1: what stands for one character.
        (#"'\''"#, "'"), (#"'\"'"#, "\""), (#""\\""#, "\\"), (#"'\b'"#, "\u{8}"), (#"'\f'"#, "\u{C}"), (#"'\n'"#, "\n"), (#"'\r'"#, "\r"),
        (#"'\t'"#, "\t"), (#"'\v'"#, "\u{B}"), (#"'\0'"#, "\0"), (#"'a\0b'"#, "a\0b"),
        // Any other character stands for itself; so does the solidus of JSON.
        (#"'\a\/\-\é\A'"#, "a/-éA"),
        // Hexadecimal and Unicode escapes, and two of a surrogate pair.
        (#"'\x41\xe9\x00\xFF'"#, "Aé\0ÿ"), (#"'\u0041\u20ac\u20AC'"#, "A€€"), (#"'\uD834\uDD1E'"#, "\u{1D11E}"),
        (#"'\ud83d\ude00!'"#, "\u{1F600}!"),
        // A string goes on in the next line after a backslash: LF, CR, CRLF, LS, PS (section 5).
        ("'a\\\nb'", "ab"), ("'a\\\rb'", "ab"), ("'a\\\r\nb'", "ab"), ("'a\\\u{2028}b'", "ab"), ("'a\\\u{2029}b'", "ab"),
        // Section 5.2: separators of lines and paragraphs may stand as they are.
        ("'a\u{2028}b\u{2029}c'", "a\u{2028}b\u{2029}c"),
        // Each kind of quote holds the other; a mark that follows a quote does not hide it.
        (#"'say "x"'"#, "say \"x\""), (#""it's""#, "it's"), ("'\u{301}a'", "\u{301}a"), ("'a\u{301}'", "a\u{301}"),
        ("'tab\tin'", "tab\tin"),
    ])
    func stringsAreTheStandards(literal: String, expected: String) throws {
        #expect(Array(try string(literal).unicodeScalars) == Array(expected.unicodeScalars))
    }

    @Test(arguments: [
        (#"'\1'"#, #"'\1' means nothing"#), (#"'\9'"#, #"'\9' means nothing"#), (#"'\01'"#, #"'\0' must not come before a digit"#),
        (#"'\x4'"#, #"'\x' wants 2 hexadecimal digits"#), (#"'\xg1'"#, #"'\x' wants 2 hexadecimal digits"#),
        (#"'\u12'"#, #"'\u' wants 4 hexadecimal digits"#), (#"'\u+123'"#, #"'\u' wants 4 hexadecimal digits"#),
        (#"'\uD834'"#, "half a character"), (#"'\uDD1E'"#, "half a character"), (#"'\uD834\u0041'"#, "half a character"),
        ("'a\nb'", "is not closed on its line"), ("'a\rb'", "is not closed on its line"), (#"'a\"#, "is not closed"),
        ("'a", "is not closed"),
    ])
    func stringsOutsideTheStandardAreRefused(literal: String, expected: String) {
        let error = #expect(throws: PipelineMistake.self) { try string(literal) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "no error")")
    }

    /// Every character that a JSON writer escapes comes back from a checkpoint's text as it was.
    @Test func effectivePipelineKeepsEveryControlCharacter() throws {
        var pipeline = Pipeline()
        pipeline.data.media = String(String.UnicodeScalarView((0..<0x80).map { Unicode.Scalar($0) })) + "\u{2028}\u{1F600}\u{301}"
        #expect(try Pipeline.parse(pipeline.text, source: "effective") == pipeline)
    }

    @Test(arguments: [
        ("5", 5), ("+5", 5), ("5.", 5), (".5", 0.5), ("+.5", 0.5), ("5.e1", 50), ("5e+1", 50), ("50E-1", 5), (".5e1", 5), ("0", 0),
        ("0.0", 0),
        ("-0", 0),
    ])
    func numbersAreTheDecimalOnes(text: String, expected: Double) throws {
        #expect(try Pipeline.parse("{ evaluation: { radius: \(text) } }", source: "p").evaluation.radius == expected)
    }

    @Test(arguments: ["+-5", "--5", "05", "1_0", ".", "-", "1e", "5..", "0x10", "Infinity", "NaN", "-Infinity", "1e999", "５"])
    func otherNumbersAreRefused(text: String) {
        #expect(throws: PipelineMistake.self) { try Pipeline.parse("{ evaluation: { radius: \(text) } }", source: "p") }
    }

    @Test(arguments: [
        "{ s\\u0065ed: 7 }", "\u{FEFF}{ seed\u{A0}:\u{2003}7 }", "{ seed: 7 // to the end of the line\r}", "{ 'seed': 7 /* * / */, }",
        "{\u{B}\"seed\"\u{C}:\u{2028}7\u{2029}}", "{ // ends here\u{2028} seed: 7 }",
    ])
    func keysBlanksAndCommentsAreTheStandards(text: String) throws {
        #expect(try Pipeline.parse(text, source: "p").seed == 7)
    }

    @Test(arguments: ["\n", "\r", "\r\n"]) func linesAreCountedWhateverEndsThem(end: String) {
        #expect {
            try Pipeline.parse("{\(end)// a comment\(end)name: 'x',\(end)sed: 1 }", source: "p")
        } throws: { "\($0)".contains("p, line 4: there is no key 'sed'") }
    }
}
