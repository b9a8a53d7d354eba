import Base
import Sampling
import Testing

@Suite struct SampleTests {
    private let sampler = FramePairSampler {
        $0.sampling.imageSize = 16
        $0.patchSize = 8
    }

    private func makeBlock(path: String = "a/ü.mp4") -> [UInt8] {
        let layout = SampleLayout(sampler.arrays)
        let header = SampleHeader(fingerprint: 0xABCD, sample: 41, ticket: 20, replica: 1, attempt: 2, video: 3, path: path)
        let record = videoRecord(times: (0..<100).map { $0 }, timeBase: Rational(1, 30))
        let draw = Draw(seed: 1, ticket: 20, replica: 1, attempt: 2, record: record)
        var block = [UInt8](repeating: 0xEE, count: layout.byteCount(path: path))
        block.withUnsafeMutableBytes { bytes in
            layout.write(header, to: bytes)
            _ = sampler.draw(draw, into: SampleWriter(layout, bytes))
            let frames = layout.bytes(of: "frames", in: bytes)
            for index in frames.indices { frames[index] = UInt8(truncatingIfNeeded: index) }
        }
        return block
    }

    @Test func samplesRoundTrip() throws {
        let block = makeBlock()
        try block.withUnsafeBytes { bytes in
            let sample = try SampleBlock(bytes)
            #expect(
                sample.header
                    == SampleHeader(fingerprint: 0xABCD, sample: 41, ticket: 20, replica: 1, attempt: 2, video: 3, path: "a/ü.mp4"))
            #expect(sample.matches(SampleLayout(sampler.arrays)))
            #expect(sample.array("frames")?.shape == [2, 16, 16, 3])
            #expect(sample.arrays.allSatisfy { $0.offset.isMultiple(of: 64) })
            let record = videoRecord(times: (0..<100).map { $0 }, timeBase: Rational(1, 30))
            let draw = sampler.geometry(Draw(seed: 1, ticket: 20, replica: 1, attempt: 2, record: record))
            #expect(sample.views == draw.views)
            #expect(sample.bytes("mask").map(Array.init) == draw.mask)
            let frames = try #require(sample.bytes("frames"))
            #expect(frames.baseAddress == bytes.baseAddress! + sample.array("frames")!.offset)
            #expect(frames.count == 1536 && frames[300] == 44)
        }
    }

    /// Memory is written over completely, so what stood there before cannot show.
    @Test func everyByteIsDetermined() {
        let layout = SampleLayout([ArrayDeclaration("a", .uint8, [3]), ArrayDeclaration("b", .float32, [1])])
        let header = SampleHeader(fingerprint: 1, sample: 2, ticket: 3, replica: 4, attempt: 5, video: 6, path: "p")
        let blocks = [UInt8.min, UInt8.max].map { fill -> [UInt8] in
            var block = [UInt8](repeating: fill, count: layout.byteCount(path: "p"))
            block.withUnsafeMutableBytes { bytes in
                layout.write(header, to: bytes)
                for name in ["a", "b"] { layout.bytes(of: name, in: bytes).copyBytes(from: [1, 2, 3, 4].prefix(name == "a" ? 3 : 4)) }
            }
            return block
        }
        #expect(blocks[0] == blocks[1])
    }

    @Test func damagedSamplesAreRefused() {
        let block = makeBlock()
        func refusal(_ change: (inout [UInt8]) -> Void) -> String? {
            var bytes = block
            change(&bytes)
            return bytes.withUnsafeBytes { buffer in
                do throws(MalformedBytes) {
                    _ = try SampleBlock(buffer)
                    return nil
                } catch { return error.description }
            }
        }
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0[0] = 0 } == "this is not a sample")
        #expect(refusal { $0[4] = 9 } == "a sample of version 9 where 1 is spoken; upgrade the receiver")
        #expect(refusal { $0.append(0) } == "a sample of \(block.count) bytes in a message of \(block.count + 1)")
        #expect(refusal { $0[64 + 16] = 7 } == "array frames has an unknown kind")
        #expect(refusal { $0[64 + 24] = 3 } == "array frames has another size than its shape")
        #expect(refusal { $0[64 + 48] = 1 } == "array frames does not lie inside its sample")
        #expect(refusal { $0[56] = 200 } == "a path of 200 bytes does not fit")
        for length in 0..<block.count { #expect(refusal { $0.removeLast(block.count - length) } != nil, "\(length) bytes were accepted") }
    }

    /// No damage crashes the reader: random bytes of a good sample are changed, and what it accepts can be used.
    @Test func fuzzedSamplesAreHarmless() {
        let block = makeBlock()
        var stream = RandomStream(seed: 5, purpose: .crop, ticket: 0)
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = block
            for _ in 0...stream.uniform(below: 3) { bytes[stream.uniform(below: 300)] = UInt8(truncatingIfNeeded: stream.nextUInt32()) }
            bytes.withUnsafeBytes { buffer in
                guard let sample = try? SampleBlock(buffer) else { return }
                accepted += 1
                _ = sample.views
                _ = SampleLog.line(step: 0, slot: 0, sample: sample, pixelHash: "")
            }
        }
        #expect(accepted > 100 && accepted < 19_000)
    }

    @Test func logLinesAreColumns() throws {
        let layout = SampleLayout(sampler.arrays)
        let header = SampleHeader(fingerprint: 1, sample: 9, ticket: 4, replica: 1, attempt: 0, video: 3, path: "a\tb.mp4")
        var block = [UInt8](repeating: 0, count: layout.byteCount(path: header.path))
        let box = CropBox(x: 5, y: 6, width: 70, height: 80)
        block.withUnsafeMutableBytes { bytes in
            layout.write(header, to: bytes)
            let views = [View(tick: 1, frame: 2, box: box, isFlipped: true), View(tick: 11, frame: 22, box: box, isFlipped: true)]
            let writer = SampleWriter(layout, bytes)
            writer.write(views.flatMap(\.fields), to: "views")
            writer.write([1, 0, 1, 1] as [UInt8], to: "mask")
        }
        try block.withUnsafeBytes { bytes in
            let line = SampleLog.line(step: 3, slot: 1, sample: try SampleBlock(bytes), pixelHash: "00ff")
            #expect(line == "3\t1\t9\t4\t1\t0\ta\\tb.mp4\t1,11\t2,22\t70x80+5+6\t1\tb\t00ff")
            #expect(line.split(separator: "\t").count == SampleLog.header.split(separator: "\t").count)
        }
    }

    @Test func recordsBeyondArithmeticAreFaulty() {
        func fault(_ timestamps: Timestamps, _ timeBase: Rational = Rational(1, 30), width: Int = 340) -> String? {
            var record = videoRecord(times: [0, 1], timeBase: timeBase, width: width)
            record.timestamps = timestamps
            return record.fault
        }
        let beyond = "a duration or a size beyond all bounds"
        #expect(fault(.table([0, 1, 5])) == nil)
        // 24 days: ticks, at up to 1024 a second, are 32 bits of a sample.
        #expect(fault(.table([0, 30 << 21 - 1])) == nil)
        #expect(fault(.table([0, 30 << 21])) == beyond)
        #expect(fault(.table([0, 1 << 53])) == beyond)
        #expect(fault(.table([.min, 0])) == beyond)
        #expect(fault(.table([0, 1 << 40]), Rational(1 << 20, 1)) == beyond)
        #expect(fault(.table([0, 1]), Rational(1, 1 << 31)) == beyond)
        #expect(fault(.table([0, 1]), width: 1 << 40) == beyond)
    }
}
