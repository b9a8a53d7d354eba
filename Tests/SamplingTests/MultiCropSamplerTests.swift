import Sampling
import Testing

@Suite struct MultiCropSamplerTests {
    private static let record = videoRecord(times: (0..<50).map { $0 }, timeBase: Rational(1, 30))
    private static let small = MultiCropSampler {
        ($0.sampling.imageSize, $0.sampling.localSize, $0.sampling.localCrops, $0.patchSize) = (48, 16, 3, 8)
    }

    @Test func arraysAreDeclared() {
        let sampler = MultiCropSampler()
        #expect(
            sampler.arrays == [
                ArrayDeclaration("globals", .uint8, [2, 224, 224, 3]), ArrayDeclaration("locals", .uint8, [10, 96, 96, 3]),
                ArrayDeclaration("mask", .uint8, [392], zeros: 196...392), ArrayDeclaration("views", .int32, [12, 7]),
            ])
        #expect(sampler.maximumMaskedCount == 98 && sampler.minimumFrames == 1)
        let alone = MultiCropSampler { $0.sampling.localCrops = 0 }
        #expect(alone.arrays.map(\.name) == ["globals", "mask", "views"] && alone.arrays[2].shape == [2, 7])
        #expect(alone.problem == nil && sampler.problem == nil)
    }

    /// All views are of one frame and inside it, large ones from a quarter of it on and small ones up to that.
    @Test func viewsAreWithinTheirBounds() throws {
        var (globals, locals, flips, masked, frames) = ([Double](), [Double](), 0, 0, Set<Int>())
        for ticket in 0..<1000 {
            let draw = Draw(seed: 1, ticket: ticket, record: Self.record)
            try withSample(of: Self.small, draw) { sample, pictures in
                let views = sample.views
                #expect(views.count == 5 && Set(views.map(\.frame)).count == 1)
                frames.insert(views[0].frame)
                for (index, view) in views.enumerated() {
                    let box = view.box
                    #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 340 && box.y + box.height <= 256)
                    #expect((0.7...1.4).contains(Double(box.width) / Double(box.height)))
                    let area = Double(box.width * box.height) / (340 * 256)
                    if index < 2 { globals.append(area) } else { locals.append(area) }
                    flips += view.isFlipped ? 1 : 0
                    let expected = PlacedPicture(
                        request: view.request(size: index < 2 ? 48 : 16), array: index < 2 ? "globals" : "locals",
                        index: index < 2 ? index : index - 2)
                    #expect(pictures[index] == expected)
                }
                let mask = Array(sample.bytes("mask")!)
                for crop in [mask[..<36], mask[36...]] {
                    let count = crop.count { $0 == 1 }
                    #expect(count <= Self.small.maximumMaskedCount && count + crop.count { $0 == 0 } == 36)
                    masked += count > 0 ? 1 : 0
                }
            }
        }
        #expect(frames.count == 50)
        #expect(globals.allSatisfy { $0 > 0.24 && $0 <= 1 } && globals.min()! < 0.27 && globals.max()! > 0.9)
        #expect(locals.allSatisfy { $0 > 0.045 && $0 < 0.26 } && locals.min()! < 0.06 && locals.max()! > 0.24)
        // Of 5,000 and 2,000 halves, with deviations of 35 and 22.
        #expect(abs(flips - 2500) < 180 && abs(masked - 1000) < 120)
    }

    private func whole(
        _ sampler: MultiCropSampler = Self.small, seed: UInt64 = 1, ticket: Int = 2, replica: Int = 1, attempt: Int = 0
    ) throws -> (views: [View], globals: [UInt8], locals: [UInt8], mask: [UInt8]) {
        let draw = Draw(seed: seed, ticket: ticket, replica: replica, attempt: attempt, record: Self.record)
        return try withFinishedSample(of: sampler, draw) { sample in
            (
                sample.views, Array(sample.bytes("globals")!), sample.bytes("locals").map(Array.init) ?? [], Array(sample.bytes("mask")!)
            )
        }
    }

    @Test func samplesStayTheSameBytes() throws {
        let hash = try hashOfSamples(Self.small, of: Self.record)
        #expect(hash == 0x3bb4_4e42_60ab_0637)
    }

    @Test func aSampleIsAPureFunctionOfItsName() throws {
        let first = try whole()
        #expect(try whole() == first)
        for other in [try whole(seed: 2), try whole(ticket: 3), try whole(replica: 0), try whole(attempt: 1)] {
            #expect(other.views != first.views && other.globals != first.globals && other.locals != first.locals)
        }
    }

    /// The large views are the same whatever number of small ones there are, colours included.
    @Test func smallViewsMoveNothing() throws {
        for count in [0, 1, 5] {
            var sampler = Self.small
            sampler.sampling.localCrops = count
            for ticket in 0..<20 {
                let (fewer, usual) = (try whole(sampler, ticket: ticket), try whole(ticket: ticket))
                #expect(fewer.views[..<2] == usual.views[..<2] && fewer.mask == usual.mask)
                #expect(fewer.globals == usual.globals && fewer.locals.count == count * 768)
            }
        }
    }

    /// The colours are those that are drawn for each view in turn.
    @Test func everyViewHasColoursOfItsOwn() throws {
        for ticket in 0..<20 {
            let draw = Draw(seed: 3, ticket: ticket, record: Self.record)
            var stream = RandomStream(seed: 3, purpose: .color, ticket: ticket)
            let operations = [Photometrics.first, .second, .local, .local, .local].map { $0.draw(from: &stream) }
            var noise = try withPlainSample(draw)
            try withFinishedSample(of: Self.small, draw) { sample in
                for (index, operations) in operations.enumerated() {
                    let (array, side) = index < 2 ? ("globals", 48) : ("locals", 16)
                    noise[index].withUnsafeMutableBytes { operations.apply(to: $0, side: side) }
                    let first = (index < 2 ? index : index - 2) * side * side * 3
                    #expect(Array(sample.bytes(array)![first..<first + side * side * 3]) == noise[index])
                }
            }
        }
    }

    /// The pictures of ``withFinishedSample(of:_:_:)`` before they are finished.
    private func withPlainSample(_ draw: Draw) throws -> [[UInt8]] {
        /// The same views, whose colours stay.
        struct Plain: Sampler {
            static let name = "plain"
            var sampler = MultiCropSamplerTests.small
            var problem: (key: String, message: String)? { sampler.problem }
            var repeatedSampling: Int { sampler.repeatedSampling }
            var arrays: [ArrayDeclaration] { sampler.arrays }
            func draw(_ draw: Draw, into sample: SampleWriter) -> [PlacedPicture] { sampler.draw(draw, into: sample) }
        }
        return try withFinishedSample(of: Plain(), draw) { sample in
            [("globals", 6912), ("locals", 768)].flatMap { array, size in
                let bytes = sample.bytes(array)!
                return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<$0 + size]) }
            }
        }
    }

    @Test func damagedFramesAreNotShown() throws {
        var record = Self.record
        record.damagedFrames = Array(0..<48)
        for ticket in 0..<100 {
            let views = try withSample(of: Self.small, Draw(seed: 1, ticket: ticket, record: record)) { sample, _ in sample.views }
            #expect(views.allSatisfy { $0.frame >= 48 })
        }
    }

    @Test func itSurvivesTheWire() throws {
        let sampler = AnySampler(MultiCropSampler { ($0.sampling.localCrops, $0.mask.ratio) = (4, 0.4) })
        let plan = PlanIdentity(manifestHash: "abc", seed: 5, sampler: sampler)
        #expect(try sent(plan) == plan)
    }

    private typealias Change = @Sendable (inout MultiCropSampler) -> Void

    private static let impossible: [(key: String, message: String, change: Change)] = [
        ("sampling.imageSize", "is 220, which patches of 16 pixels do not divide", { $0.sampling.imageSize = 220 }),
        ("sampling.localSize", "is 90, which patches of 16 pixels do not divide", { $0.sampling.localSize = 90 }),
        ("sampling.localSize", "is 4096: from 1 to 2048 pixels", { $0.sampling.localSize = 4096 }),
        ("sampling.localCrops", "is -1: from 0 to 64 small views", { $0.sampling.localCrops = -1 }),
        ("sampling.localCrops", "is 65: from 0 to 64 small views", { $0.sampling.localCrops = 65 }),
        (
            "sampling.globalArea",
            "is [0.5, 1.5], but a crop cannot be bigger than the image: shares of its area from above 0 to 1, ascending",
            { $0.sampling.globalArea = [0.5, 1.5] }
        ),
        ("sampling.localArea", "wants two numbers, [smallest, largest]", { $0.sampling.localArea = [0.5] }),
        ("sampling.flip", "is 2.0, but a chance lies between 0 and 1", { $0.sampling.flip = 2 }),
        ("mask.ratio", "is 1.0: from 0 to below 1; at 1 nothing of the picture is seen", { $0.mask.ratio = 1 }),
        (
            "mask.ratioVariance", "is 0.4, but all of mask.ratio ± mask.ratioVariance must lie from 0 to below 1",
            { $0.mask.ratioVariance = 0.4 }
        ), ("mask.chance", "is -0.5, but a chance lies between 0 and 1", { $0.mask.chance = -0.5 }),
        (
            "mask.ratio", "is 0.0, which hides no patch of 196: raise it, or set mask.chance to 0",
            { ($0.mask.ratio, $0.mask.ratioVariance) = (0, 0) }
        ),
    ]

    @Test(arguments: impossible.indices) func impossibleSettingsAreNamed(index: Int) {
        let (key, message, change) = Self.impossible[index]
        let problem = MultiCropSampler { change(&$0) }.problem
        #expect(problem?.key == key && problem?.message == message)
    }

    @Test func withoutMasksNoShareIsAskedFor() {
        #expect(MultiCropSampler { ($0.mask.ratio, $0.mask.ratioVariance, $0.mask.chance) = (0, 0, 0) }.problem == nil)
    }
}
