import Base
import Dataflow
import Foundation
import Sampling
import Testing
import ZeroMQ

/// Every message as bytes, and whether bytes are read as a message of the same kind.
private let all: [(bytes: [UInt8], reads: @Sendable ([UInt8]) throws -> Bool)] =
    decoderRequests.map { message in (message.bytes, { try $0.withUnsafeBytes { try DecoderRequest($0) } == message }) }
    + decoderReplies.map { message in (message.bytes, { try $0.withUnsafeBytes { try DecoderReply($0) } == message }) }
    + trainerRequests.map { message in (message.bytes, { try $0.withUnsafeBytes { try TrainerRequest($0) } == message }) }
    + trainerReplies.map { message in (message.bytes, { try $0.withUnsafeBytes { try TrainerReply($0) } == message }) }

@Suite struct MessageTests {
    @Test func messagesRoundTrip() throws {
        for (bytes, reads) in all { #expect(try reads(bytes)) }
    }

    @Test func everyTruncationAndExtensionIsRefused() {
        for (bytes, reads) in all {
            for count in 0..<bytes.count { #expect(throws: MalformedBytes.self) { try reads(Array(bytes.prefix(count))) } }
            #expect(throws: MalformedBytes.self) { try reads(bytes + [0]) }
            // The same with a length that agrees.
            for count in 12..<bytes.count {
                var shorter = Array(bytes.prefix(count))
                (shorter[8], shorter[9]) = (UInt8(count & 255), UInt8(count >> 8))
                #expect(throws: MalformedBytes.self) { try reads(shorter) }
            }
        }
    }

    @Test func otherVersionsAreToldApart() {
        let spoken = DecoderReply.idle.bytes[4]
        func refusal(_ version: UInt8) -> String {
            var bytes = DecoderReply.idle.bytes
            bytes[4] = version
            do {
                _ = try bytes.withUnsafeBytes { try DecoderReply($0) }
                return "accepted"
            } catch { return "\(error)" }
        }
        #expect(refusal(spoken) == "accepted")
        #expect(refusal(spoken - 1) == "a message of version \(spoken - 1) where \(spoken) is spoken; upgrade the sender")
        #expect(refusal(spoken + 1) == "a message of version \(spoken + 1) where \(spoken) is spoken; upgrade the receiver")
    }

    @Test func messagesOfTheOtherDirectionAreRefused() {
        #expect(throws: MalformedBytes("a request of unknown type 103")) {
            try DecoderReply.idle.bytes.withUnsafeBytes { try DecoderRequest($0) }
        }
        #expect(throws: MalformedBytes("a request of unknown type 5")) {
            try DecoderRequest.goodbye(decoder: 1).bytes.withUnsafeBytes { try TrainerRequest($0) }
        }
    }

    @Test func recordsThatCannotBeDrawnFromAreRefused() {
        var record = videoRecords(1)[0]
        record.timestamps = .even(start: 0, step: 1, count: 0)
        let bytes = DecoderReply.ticket(Ticket(ticket: 0, attempt: 0, video: 0, record: record)).bytes
        #expect(throws: MalformedBytes("class/video-0.mp4: no frames")) {
            try bytes.withUnsafeBytes { try DecoderReply($0) }
        }
    }

    /// Whatever arrives, it is read or refused: no crash, and no allocation beyond the message's own size.
    @Test func fuzzedMessagesAreHarmless() {
        var stream = RandomStream(seed: 4, purpose: .crop, ticket: 0)
        var refused = 0
        for _ in 0..<30_000 {
            var (bytes, reads) = all[stream.uniform(below: all.count)]
            for _ in 0...stream.uniform(below: 4) {
                bytes[stream.uniform(below: bytes.count)] = UInt8(truncatingIfNeeded: stream.nextUInt32())
            }
            if (try? reads(bytes)) == nil { refused += 1 }
        }
        #expect(refused > 10_000)
    }

    /// Texts that end up on a terminal or in a log.
    @Test func whatOthersWroteStaysOnOneLine() throws {
        func sent(_ text: String) throws -> String {
            let bytes = DecoderRequest.failed(decoder: 1, ticket: 2, attempt: 3, kind: "", reason: text).bytes
            guard case .failed(_, _, _, _, let reason) = try bytes.withUnsafeBytes({ try DecoderRequest($0) }) else { return "" }
            return reason
        }
        #expect(try sent("a\u{1B}[2Jb\r\n\tc\u{7F}\u{85}\u{2028}") == #"a\u{1B}[2Jb\u{D}\u{A}\u{9}c\u{7F}\u{85}\u{2028}"#)
        #expect(try sent("plain – “ü” 👩🏽‍🚀") == "plain – “ü” 👩🏽‍🚀")
        #expect(try sent(String(repeating: "\n", count: 1000)).utf8.count <= 1000)
        #expect(DataflowError("x\ny").description == #"x\u{A}y"# && MalformedBytes("x\u{7}").description == #"x\u{7}"#)
    }

    @Test func longReasonsAreCut() throws {
        let long = String(repeating: "ü", count: 5000)
        let bytes = DecoderRequest.failed(decoder: 1, ticket: 2, attempt: 3, kind: long, reason: long).bytes
        #expect(bytes.count < 1200)
        guard case .failed(_, _, _, let kind, let reason) = try bytes.withUnsafeBytes({ try DecoderRequest($0) }) else {
            Issue.record("not a failure")
            return
        }
        #expect(long.hasPrefix(kind.dropLast()) && long.hasPrefix(reason.dropLast()))
    }
}

@Suite struct EndpointTests {
    @Test func endpointsAreDerived() throws {
        let file = try Endpoint("ipc:///tmp/run/batcher")
        #expect([file.samples, file.batches] == ["ipc:///tmp/run/batcher.samples", "ipc:///tmp/run/batcher.batches"])
        let port = try Endpoint("tcp://127.0.0.1:5555")
        #expect([port.control, port.samples, port.batches] == ["tcp://127.0.0.1:5555", "tcp://127.0.0.1:5556", "tcp://127.0.0.1:5557"])
    }

    @Test(arguments: [
        "", "ipc://", "ipc://@abstract", "ipc:///tmp/", "tcp://", "tcp://host", "tcp://:5", "tcp://h:0", "tcp://h:65534", "udp://h:1",
        "h:1",
    ])
    func nonsenseIsRefused(text: String) {
        #expect(throws: DataflowError.self) { try Endpoint(text) }
    }

    @Test func longPathsAreRefusedWithARemedy() throws {
        _ = try Endpoint("ipc://" + String(repeating: "x", count: 99))
        #expect(throws: DataflowError.self) { try Endpoint("ipc://" + String(repeating: "x", count: 100)) }
    }

    @Test(arguments: ["tcp://0.0.0.0:5555", "tcp://*:5555", "tcp://192.168.1.5:5555", "tcp://eth0:5555"])
    func bindsBeyondLoopbackAreRefused(text: String) throws {
        let endpoint = try Endpoint(text)
        #expect(throws: DataflowError.self) { try endpoint.reserve(for: Context()) }
    }

    @Test func loopbackMayBeBound() throws {
        for text in ["tcp://127.0.0.1:5555", "tcp://localhost:5555"] { #expect(try Endpoint(text).reserve(for: Context()) == nil) }
    }

    @Test func anEndpointHasOneOwner() throws {
        let endpoint = try freshEndpoint()
        var first = try endpoint.reserve(for: Context())
        #expect(first != nil)
        #expect(throws: DataflowError("\(endpoint): another process listens there; stop it, or choose another endpoint")) {
            try endpoint.reserve(for: Context())
        }
        first = nil
        // What a process left behind that was killed is no obstacle, and nothing is left in the end.
        let path = String(endpoint.control.dropFirst(6))
        for suffix in ["", ".samples", ".batches"] { #expect(mknod(path + suffix, S_IFSOCK | 0o600, 0) == 0) }
        #expect(FileManager.default.createFile(atPath: path + ".lock", contents: nil))
        var second = try endpoint.reserve(for: Context())
        #expect(second != nil && FileManager.default.fileExists(atPath: path + ".lock"))
        second = nil
        #expect(!FileManager.default.fileExists(atPath: path) && !FileManager.default.fileExists(atPath: path + ".lock"))
    }

    /// libzmq would remove them: a file where a socket is to be, a lock of something else, another program's socket.
    @Test(arguments: ["", ".samples", ".batches", ".lock", "another's socket"]) func filesAtAnEndpointStay(_ suffix: String) throws {
        let endpoint = try freshEndpoint()
        let isSocket = suffix == "another's socket"
        let path = String(endpoint.control.dropFirst(6)) + (isSocket ? "" : suffix)
        if isSocket {
            #expect(mknod(path, S_IFSOCK | 0o600, 0) == 0)
        } else {
            try Data("a user's".utf8).write(to: URL(fileURLWithPath: path))
        }
        defer { unlink(path) }
        let sentence = "\(path) is there, and is not a socket of Tandem's; choose another endpoint, or remove it"
        #expect(throws: DataflowError(sentence)) { try endpoint.reserve(for: Context()) }
        #expect(FileManager.default.contents(atPath: path) == (isSocket ? nil : Data("a user's".utf8)))
        #expect(FileManager.default.fileExists(atPath: path))
    }
}
