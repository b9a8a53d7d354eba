import Base
import Sampling
import Testing

/// Samplers as the wire has them: in a plan, by name and JSON.
@Suite struct AnySamplerTests {
    private func bytes(_ sampler: AnySampler) -> [UInt8] {
        var writer = ByteWriter()
        PlanIdentity(manifestHash: "abc", seed: 5, sampler: sampler).write(to: &writer)
        return writer.bytes
    }

    /// The bytes of the published sampler with other settings, or another name.
    private func bytes(name: String = "frame-pair", _ settings: String) -> [UInt8] {
        var writer = ByteWriter()
        writer.write("abc")
        writer.write(5 as UInt64)
        writer.write(name)
        writer.write(settings)
        return writer.bytes
    }

    private func read(_ bytes: [UInt8]) throws -> PlanIdentity {
        try bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            let plan = try PlanIdentity(from: &reader)
            try reader.finish()
            return plan
        }
    }

    /// Written by hand from the pipeline's documented keys and defaults: other programs may rely on it.
    private static let published =
        #"{"mask":{"frames":"asymmetric","pattern":"random","ratio":0.95},"patchSize":16,"sampling":{"cropArea":[0.5,1],"#
        + #""cropAspect":[0.75,1.3333333333333333],"crops":"shared","flip":0.5,"frameGap":[4,48],"imageSize":224,"repeatedSampling":2,"#
        + #""timeline":"presentation-time"}}"#

    @Test func thePublishedSamplerIsThisText() throws {
        #expect(bytes(AnySampler(FramePairSampler())) == bytes(Self.published))
        #expect(try read(bytes(Self.published)).sampler == AnySampler(FramePairSampler()))
    }

    @Test func samplersSurviveTheWire() throws {
        let sampler = AnySampler(
            FramePairSampler {
                $0.sampling.imageSize = 96
                $0.patchSize = 8
                $0.sampling.frameGap = [2, 9]
                $0.sampling.cropAspect = [0.1, 1.0 / 3]
                $0.sampling.crops = .independent
                $0.mask.ratio = 0.9
                $0.mask.pattern = .grid
                $0.mask.frames = .symmetric
            })
        let plan = try read(bytes(sampler))
        #expect(plan == PlanIdentity(manifestHash: "abc", seed: 5, sampler: sampler))
    }

    @Test(arguments: [
        ("a number too large", #""imageSize":224"#, #""imageSize":1e400"#),
        ("a number out of range", #""patchSize":16"#, #""patchSize":0"#),
        ("a negative patch", #""patchSize":16"#, #""patchSize":-16"#),
        ("patches that do not fit", #""imageSize":224"#, #""imageSize":100"#),
        ("a list too short", #""frameGap":[4,48]"#, #""frameGap":[4]"#), ("an empty list", #""cropArea":[0.5,1]"#, #""cropArea":[]"#),
        ("a list too long", #""cropAspect":[0.75,"#, #""cropAspect":[0.7,0.75,"#), ("a huge gap", "[4,48]", "[4,9223372036854775807]"),
        ("no visible patch", #""ratio":0.95"#, #""ratio":0.9999"#), ("a share of one", #""ratio":0.95"#, #""ratio":1"#),
        ("a chance above one", #""flip":0.5"#, #""flip":1.5"#), ("no samples", #""repeatedSampling":2"#, #""repeatedSampling":0"#),
        ("too many samples", #""repeatedSampling":2"#, #""repeatedSampling":65"#), ("an unknown word", "random", "tandom"),
        ("a missing key", #""flip":0.5,"#, ""), ("a key more", #""flip":0.5"#, #""flip":0.5,"flop":1"#), ("a space", ",", ", "),
        ("another form of a number", "0.95", "9.5e-1"), ("a key of one future", #""imageSize""#, #""futures":1,"imageSize""#),
        ("what is no JSON", "{", "("),
    ])
    func whatIsNoSamplerIsRefused(_ what: String, text: String, other: String) throws {
        let range = try #require(Self.published.firstRange(of: text))
        var settings = Self.published
        settings.replaceSubrange(range, with: other)
        #expect(throws: MalformedBytes.self, "\(what)") { try read(bytes(settings)) }
    }

    @Test func unknownNamesAndLongTextsAreRefused() {
        #expect(throws: MalformedBytes("a sampler with the unknown name 'clips'")) { try read(bytes(name: "clips", Self.published)) }
        #expect(throws: MalformedBytes.self) { try read(bytes(String(repeating: " ", count: 5000))) }
    }
}
