import Foundation
import Media
import Sampling
import TestSupport
import Testing

/// Clips of 60 frames without B-frames, a key frame at 0, 20 and 40, so that packet i is frame i; one packet is damaged.
@Suite("damage in the middle of a file") struct DamageTests {
    /// Writes a clip, damages the packet of a frame and returns its record before and after.
    private func damage(_ frame: Int, in folder: String, _ change: (inout Data) -> Void) throws -> (
        whole: VideoRecord, damaged: VideoRecord
    ) {
        try writeTestClip(folder + "/a.mp4", options: .init(groupOfPictures: 20, bFrames: 0))
        let whole = try VideoRecord(inspecting: "a.mp4", in: folder)
        var file = try Data(contentsOf: URL(fileURLWithPath: folder + "/a.mp4"))
        let place = try packetPlaces(in: file)[frame]
        var packet = Data(file[place])
        change(&packet)
        file.replaceSubrange(place, with: packet)
        try file.write(to: URL(fileURLWithPath: folder + "/a.mp4"))
        return (whole, try VideoRecord(inspecting: "a.mp4", in: folder))
    }

    /// Flips bits in the second half of the coded picture: the decoder patches it up.
    private func scramble(_ packet: inout Data) {
        for index in packet.indices.dropFirst(packet.count / 2) { packet[index] ^= 0x5a }
    }

    /// A length beyond the packet: the decoder refuses it.
    private func makeRefused(_ packet: inout Data) { packet.replaceSubrange(0..<4, with: [0x00, 0xff, 0xff, 0xff]) }

    private func hashes(_ record: VideoRecord, in folder: String) throws -> [Int64: String] {
        var hashes: [Int64: String] = [:]
        _ = try VideoRecord(inspecting: record.path, in: folder) { index, frame in
            hashes[record.timestamps[index]] = frame.hexadecimalHash(.murmur3)
        }
        return hashes
    }

    @Test(
        "every frame that differs from the undamaged file's is listed, and no frame of another group",
        arguments: [(5, true), (25, true), (25, false), (20, true), (20, false), (59, true), (58, false)])
    func framesAreListed(frame: Int, isScrambled: Bool) throws {
        try withTemporaryFolder { folder in
            try writeTestClip(folder + "/a.mp4", options: .init(groupOfPictures: 20, bFrames: 0))
            let expected = try hashes(try VideoRecord(inspecting: "a.mp4", in: folder), in: folder)
            let (whole, record) = try damage(frame, in: folder) { isScrambled ? scramble(&$0) : makeRefused(&$0) }
            #expect(whole.damagedFrames.isEmpty)
            // A key frame that is refused may take its group along.
            #expect(record.frameCount >= 59 || frame % 20 == 0 && record.frameCount >= 40)
            let group = frame / 20 * 20..<(frame / 20 + 1) * 20
            let found = try hashes(record, in: folder)
            let damagedTimes = record.damagedFrames.map { record.timestamps[$0] }
            for time in found.keys where found[time] != expected[time] { #expect(damagedTimes.contains(time), "tick \(time)") }
            #expect(damagedTimes.allSatisfy { time in group.contains { whole.timestamps[$0] == time } })
            #expect(record.frameCount < 60 || !damagedTimes.isEmpty)

            for ticket in 0..<500 {
                let draw = FramePairSampler().geometry(Draw(seed: 1, ticket: ticket, record: record))
                #expect(draw.views.allSatisfy { !record.damagedFrames.contains($0.frame) })
            }
            // Frames behind the damage are read as exactly as before it.
            let reader = try VideoReader(path: folder + "/a.mp4", record: record)
            for frame in stride(from: 0, to: record.frameCount, by: 7).reversed() where !record.isDamaged(frame) {
                try reader.visit([frame]) { index, picture in
                    #expect(picture.hexadecimalHash(.murmur3) == found[record.timestamps[index]])
                }
            }
        }
    }

    @Test("damage that the record does not know is an error of the frames that it touches", arguments: [true, false])
    func damageAfterPreparing(isScrambled: Bool) throws {
        try withTemporaryFolder { folder in
            let (whole, _) = try damage(30, in: folder) { isScrambled ? scramble(&$0) : makeRefused(&$0) }
            let reader = try VideoReader(path: folder + "/a.mp4", record: whole)
            let error = #expect(throws: MediaError.self) { try reader.visit([30]) { _, _ in } }
            // What is refused does not come out at all; what is scrambled comes out patched up.
            #expect(error?.reason == (isScrambled ? .damagedFrame : .undecodable) && error?.kind == error?.reason.rawValue)
            try reader.visit([10, 29, 45]) { _, _ in }
        }
    }

    @Test func filesWithTooMuchDamageAreRejected() throws {
        try withTemporaryFolder { folder in
            try writeTestClip(folder + "/a.mp4", options: .init(groupOfPictures: 250, bFrames: 0))
            var file = try Data(contentsOf: URL(fileURLWithPath: folder + "/a.mp4"))
            let place = try packetPlaces(in: file)[10]
            var packet = Data(file[place])
            scramble(&packet)
            file.replaceSubrange(place, with: packet)
            try file.write(to: URL(fileURLWithPath: folder + "/a.mp4"))
            let error = #expect(throws: MediaError.self) { try VideoRecord(inspecting: "a.mp4", in: folder) }
            #expect(error?.reason == .undecodable)
        }
    }

    @Test func pausesAreLimited() throws {
        try withTemporaryFolder { folder in
            try writeTestClip(folder + "/slow.mp4", frames: 3, framesPerSecond: Rational(1, 5))
            #expect(try VideoRecord(inspecting: "slow.mp4", in: folder).frameCount == 3)
            try writeTestClip(folder + "/slower.mp4", frames: 3, framesPerSecond: Rational(1, 6))
            let error = #expect(throws: MediaError.self) { try VideoRecord(inspecting: "slower.mp4", in: folder) }
            #expect(error?.reason == .tooLongGap && error?.detail == "6.0 s between frames 0 and 1")
        }
    }

    @Test func hugePicturesAreTooBig() throws {
        try withTemporaryFolder { folder in
            try writeTestClip(folder + "/a.mp4", frames: 5)
            var file = try Data(contentsOf: URL(fileURLWithPath: folder + "/a.mp4"))
            // ISO 14496-12, 12.1.3: width and height stand 24 bytes behind the name of the sample entry.
            let entry = try #require(file.range(of: Data("avc1".utf8), in: file.range(of: Data("stsd".utf8))!.lowerBound..<file.count))
            file.replaceSubrange(entry.upperBound + 24..<entry.upperBound + 28, with: [0x80, 0, 0x80, 0])
            try file.write(to: URL(fileURLWithPath: folder + "/a.mp4"))
            let error = #expect(throws: MediaError.self) { try VideoRecord(inspecting: "a.mp4", in: folder) }
            #expect(error?.reason == .tooBig)
        }
    }
}

/// Where the packets of an MP4's only track lie: its chunk offsets, chunk lengths and sample sizes (ISO 14496-12, 8.7).
private func packetPlaces(in file: Data) throws -> [Range<Int>] {
    func number(_ offset: Int) -> Int { file[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
    func table(_ name: String) throws -> Int { try #require(file.range(of: Data(name.utf8))).upperBound + 4 }
    let (sizes, offsets) = (try table("stsz"), try table("stco"))
    // VideoWriter's packets lie one behind the other.
    try #require(number(sizes) == 0)
    var start = number(offsets + 4)
    return (0..<number(sizes + 4)).map { index in
        let size = number(sizes + 8 + 4 * index)
        defer { start += size }
        return start..<start + size
    }
}
