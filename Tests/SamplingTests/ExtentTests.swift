import Base
import Sampling
import TestSupport
import Testing

/// Records of spans and of members of archives.
@Suite struct ExtentTests {
    private static let samplers: [any Sampler] = [
        FramePairSampler(), FramePairSampler { $0.sampling.futures = 3 }, ClipSampler { $0.sampling.stride = 2 },
        ClipSampler { $0.sampling.timeline = .presentationTime }, SpanSampler(), ImageSampler(), MultiCropSampler(), ViewPairSampler(),
    ]

    /// A video of 600 frames, some of them damaged.
    private static func video(_ timestamps: Timestamps, damaged: [Int] = []) -> VideoRecord {
        VideoRecord(
            path: "a.mp4", bytes: 9, width: 320, height: 240, timeBase: Rational(1, 90_000), timestamps: timestamps,
            keyFrames: Array(stride(from: 0, to: 600, by: 50)), damagedFrames: damaged, contentHash: String(repeating: "a", count: 32))
    }

    private static let even = Timestamps.even(start: 700, step: 3003, count: 600)
    private static let uneven = Timestamps((0..<600).map { Int64($0 * 3600 + $0 * $0 % 977) })

    /// A span is a video of its own: same draws, same places, and only the numbers of the frames are those of the file.
    @Test(arguments: samplers.indices, [even, uneven])
    func aSpanIsDrawnFromAsAVideoOfItsOwn(sampler: Int, timestamps: Timestamps) throws {
        let sampler = Self.samplers[sampler], span = 130..<290
        let damaged = [3, 140, 200, 201, 289, 290, 500]
        var alone = Self.video(Timestamps(span.map { timestamps[$0] }))
        (alone.keyFrames, alone.damagedFrames) = ([20, 70, 120], [10, 70, 71, 159])
        let whole = Self.video(timestamps, damaged: damaged).cut(to: span, label: "jump")
        for ticket in 0..<50 {
            let (own, cut) = (Draw(seed: 5, ticket: ticket, record: alone), Draw(seed: 5, ticket: ticket, record: whole))
            try withSample(of: sampler, own) { expected, pictures in
                try withSample(of: sampler, cut) { sample, cutPictures in
                    #expect(
                        sample.views
                            == expected.views.map { view in
                                var moved = view
                                moved.frame += 130
                                return moved
                            })
                    #expect(cutPictures.map(\.request.frame) == pictures.map { $0.request.frame + 130 })
                    #expect(cutPictures.map(\.request.box) == pictures.map(\.request.box))
                    for array in sample.arrays where array.name != "views" && !array.isPictures {
                        #expect(sample.bytes(array.name)!.elementsEqual(expected.bytes(array.name)!))
                    }
                }
            }
        }
    }

    @Test(arguments: samplers.indices, [0..<2, 1..<4, 590..<600, 17..<40])
    func noSampleLeavesItsSpan(sampler: Int, span: Range<Int>) throws {
        let record = Self.video(Self.uneven).cut(to: span, label: nil)
        for ticket in 0..<500 {
            try withSample(of: Self.samplers[sampler], Draw(seed: 8, ticket: ticket, record: record)) { sample, pictures in
                #expect(sample.views.allSatisfy { span.contains(Int($0.frame)) })
                #expect(pictures.allSatisfy { span.contains($0.request.frame) })
            }
        }
    }

    /// Times that lists have, rounded as they come, at the rates of films, of television and of phones.
    @Test func secondsMeanTheFramesThatAreShownThen() {
        func frames(_ timeBase: Rational, _ step: Int64, _ start: Double, _ end: Double) -> Range<Int> {
            var record = Self.video(.even(start: 512, step: step, count: 600))
            record.timeBase = timeBase
            return record.frames(from: start, to: end)
        }
        #expect(frames(Rational(1, 25), 1, 1, 2) == 25..<50)
        #expect(frames(Rational(1, 25), 1, 1.02, 2.02) == 26..<51)
        #expect(frames(Rational(1, 30_000), 1001, 10, 11) == 300..<330)
        // Frame 299 is shown at 9.9766 s, 300 at 10.01.
        #expect(frames(Rational(1, 30_000), 1001, 9.977, 10.01) == 299..<300)
        #expect(frames(Rational(1, 15_360), 512, 3.3, 6.6) == 99..<198)
        #expect(frames(Rational(1, 15_360), 512, 3.3333, 1e9) == 100..<600)
        #expect(frames(Rational(1, 15_360), 512, 30, 40).isEmpty)
    }

    /// The key frames that stay are those that reading the span begins at.
    @Test func keyFramesOfTheSpanStay() {
        let record = Self.video(Self.even)
        #expect(record.cut(to: 130..<290, label: nil).keyFrames == [100, 150, 200, 250])
        #expect(record.cut(to: 150..<151, label: nil).keyFrames == [150])
        #expect(record.cut(to: 0..<600, label: nil).keyFrames == record.keyFrames)
        var late = record
        late.keyFrames = [40, 90]
        #expect(late.cut(to: 3..<20, label: nil).keyFrames == [40])
        late.keyFrames = []
        #expect(late.cut(to: 3..<20, label: nil).keyFrames.isEmpty)
    }

    private static func sent(_ record: VideoRecord) throws -> VideoRecord {
        var writer = ByteWriter()
        record.write(to: &writer)
        record.writeExtent(to: &writer)
        return try writer.bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            var read = try VideoRecord(from: &reader)
            try read.readExtent(from: &reader)
            try reader.finish()
            return read
        }
    }

    private static let member = ArchivePlace(path: "b.tar", bytes: 10_240, offset: 512)

    @Test func extentsTravel() throws {
        var record = Self.video(Self.even)
        #expect(try Self.sent(record) == record)
        (record.path, record.archive, record.span, record.label) = ("b.tar/c/a.mp4", Self.member, 5..<9, "tür")
        #expect(try Self.sent(record) == record)
        #expect(record.file == "b.tar")
    }

    @Test(arguments: [
        (5..<6, nil, "b.tar/a", "a span of 1 frames"), (5..<601, nil, "b.tar/a", "a span from frame 5 to 601 of 600 frames"),
        (10..<14, nil, "b.tar/a", "a span with 3 damaged frames of 4"), (nil, "x", "a.mp4", "which its path does not name"),
        (nil, "x", "b.tara", "which its path does not name"), (nil, String(repeating: "x", count: 257), "b.tar/a", "257 bytes"),
        (nil, nil, "b.tar/../../a", "leads out of the media folder"),
    ])
    func impossibleExtentsAreRefused(span: Range<Int>?, label: String?, path: String, fault: String) throws {
        var record = Self.video(Self.even, damaged: [10, 11, 12])
        (record.path, record.archive, record.span, record.label) = (path, Self.member, span, label)
        #expect(record.fault?.contains(fault) == true, "\(record.fault ?? "none")")
        #expect(throws: MalformedBytes.self) { _ = try Self.sent(record) }
        record = Self.video(Self.even)
        for place in [
            ArchivePlace(path: "b.tar", bytes: 520, offset: 512), ArchivePlace(path: "b.tar", bytes: 4, offset: 0),
            ArchivePlace(path: "b.tar", bytes: .max, offset: .max),
        ] {
            (record.path, record.archive) = ("b.tar/a.mp4", place)
            #expect(record.fault != nil)
        }
    }

    /// Records of one path ascend by their spans, and a manifest without any is of the version that it always was.
    @Test func manifestsHoldExtents() throws {
        try withTemporaryFolder { folder in
            let whole = Self.video(Self.even)
            func manifest(_ records: [VideoRecord], withExtents: Bool) throws -> Manifest {
                var writer = try ManifestWriter(path: folder + "/m", withExtents: withExtents)
                for record in records { try writer.append(record) }
                return try writer.finish()
            }
            let spans = [(20..<40, "b"), (0..<9, nil), (20..<40, "a"), (0..<9, nil), (20..<30, "z")].map {
                whole.cut(to: $0.0, label: $0.1)
            }
            let ordered = spans.inManifestOrder()
            #expect(ordered.map(\.span) == [0..<9, 20..<30, 20..<40, 20..<40])
            #expect(ordered.map(\.label) == [nil, "z", "a", "b"])
            let read = try manifest(ordered, withExtents: true)
            var records: [VideoRecord] = []
            try read.readAll { records.append($0) }
            #expect(records == ordered)
            #expect(read.longestPath == "a.mp4z".utf8.count)
            let identities = try [ordered, [whole], [ordered[0]], [ordered[2]], [ordered[3]]].map {
                try manifest($0, withExtents: true).identity
            }
            #expect(Set(identities).count == 5)
            #expect(try manifest([whole], withExtents: false).identity == identities[1])
        }
    }
}
