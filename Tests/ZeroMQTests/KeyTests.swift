import Base
import Foundation
import Synchronization
import TestSupport
import Testing
import ZeroMQ

/// Lines that a context logged, from whatever thread.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    func append(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

private final class Flag: Sendable {
    private let isSet = Atomic(false)
    func set() { isSet.store(true, ordering: .relaxed) }
    func take() -> Bool { isSet.exchange(false, ordering: .relaxed) }
}

/// A folder of keys, and a socket that listens with them at a port of this machine.
private struct Listener {
    let folder: KeyFolder
    let context: Context
    let socket: Socket
    let endpoint: String
    let lines = Lines()
    let hasNewKeys = Flag()

    static let options = Socket.Options(sendHighWaterMark: 4, receiveHighWaterMark: 4, linger: 0, maximumMessageBytes: 1 << 20)

    init(_ path: String, _ kind: Socket.Kind = .pull) throws {
        folder = KeyFolder(path)
        try folder.create()
        let hasNewKeys = hasNewKeys
        context = Context(credentials: try Credentials(folder, listens: true), shouldReload: { hasNewKeys.take() }, log: lines.append)
        socket = try Socket(kind, in: context, options: Self.options)
        endpoint = "tcp://127.0.0.1:\(try freePort())"
        try socket.bind(to: endpoint)
    }

    /// Has the list of allowed keys read again, and waits until the log says that it was.
    func readKeysAgain() throws {
        func count() -> Int { lines.all.count { $0.contains("allowed was read") } }
        let before = count()
        hasNewKeys.set()
        var poller = Poller([socket])
        for _ in 0..<100 where count() == before { _ = try poller.wait(milliseconds: 100) }
        #expect(count() == before + 1)
    }

    /// Whether a message of a client with these keys arrives; a refused one is waited for until its refusal is counted.
    func hears(_ credentials: Credentials?) throws -> Bool {
        let before = context.refusals
        let client = try Socket(.push, in: Context(credentials: credentials), options: Self.options)
        try client.connect(to: endpoint)
        var poller = Poller([socket])
        for _ in 0..<100 where context.refusals == before {
            if try client.waitUntilSendable(milliseconds: 10) { _ = try client.send(Message([7])) }
            _ = try poller.wait(milliseconds: 100)
            if try socket.receive() != nil { return true }
        }
        #expect(context.refusals > before, "neither a message nor a refusal within ten seconds")
        return false
    }
}

@Suite(.timeLimit(.minutes(30))) struct KeyTests {
    private let scratch: TemporaryFolder

    init() throws { scratch = try TemporaryFolder() }

    @Test(arguments: ["server.key", "server.pub", "allowed", "client.key"])
    func filesThatAreNoKeysOfOursStay(_ name: String) throws {
        let path = scratch.file("keys")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data("a user's\n".utf8).write(to: URL(fileURLWithPath: path + "/" + name))
        for make in [{ try KeyFolder(path).create() }, { try KeyFolder(path).addClient("host") }] {
            #expect(throws: Failure.self) { try make() }
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [name])
            #expect(FileManager.default.contents(atPath: path + "/" + name) == Data("a user's\n".utf8))
        }
    }

    @Test func theListIsNoLinkAndItsNeighboursStay() throws {
        let keys = KeyFolder(scratch.file("keys"))
        try keys.create()
        for name in ["allowed.new", "allowed.partial"] {
            try Data("a user's".utf8).write(to: URL(fileURLWithPath: keys.path + "/" + name))
        }
        try keys.addClient("host")
        for name in ["allowed.new", "allowed.partial"] {
            #expect(FileManager.default.contents(atPath: keys.path + "/" + name) == Data("a user's".utf8))
        }
        try FileManager.default.moveItem(atPath: keys.path + "/allowed", toPath: scratch.file("list"))
        try FileManager.default.createSymbolicLink(atPath: keys.path + "/allowed", withDestinationPath: "../list")
        #expect(throws: Failure.self) { try keys.addClient("other") }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: keys.path + "/allowed") == "../list")
        #expect(!FileManager.default.fileExists(atPath: keys.path + "/other.key"))
    }

    @Test func thoseAllowedAreHeardAndOthersRefused() throws {
        let listener = try Listener(scratch.file("keys"))
        #expect(try listener.hears(Credentials(listener.folder, connects: true)))
        #expect(listener.context.refusals == 0)

        // No encryption at all.
        #expect(try !listener.hears(nil))

        // A key that is not in the list.
        let stranger = KeyFolder(scratch.file("stranger"))
        try stranger.create()
        try put(listener.folder, "server.pub", into: stranger)
        #expect(try !listener.hears(Credentials(stranger, connects: true)))

        // A key that is in the list, for another server.
        let misled = KeyFolder(scratch.file("misled"))
        try misled.create()
        try put(listener.folder, "client.key", into: misled)
        #expect(try !listener.hears(Credentials(misled, connects: true)))

        #expect(try listener.hears(Credentials(listener.folder, connects: true)))
        let lines = listener.lines.all
        // On a busy machine a client may have closed its connection before its address is asked for.
        let openings = ["refused 127.0.0.1:", "refused an address that is gone: "]
        #expect(!lines.isEmpty && lines.allSatisfy { line in openings.contains { line.hasPrefix($0) } }, "\(lines)")
        for secret in try [listener.folder, stranger, misled].flatMap({ [try text($0, "server.key"), try text($0, "client.key")] }) {
            #expect(!lines.contains { $0.contains(secret) })
        }
    }

    @Test func refusedConnectionsLeaveNothingBehind() throws {
        let listener = try Listener(scratch.file("keys"))
        /// Ends of connections at the listener's port that this process holds.
        func connections() throws -> Int {
            let port = String(UInt16(listener.endpoint.split(separator: ":").last!)!, radix: 16, uppercase: true)
            let own = try Set(
                FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)
                })
            return try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8).split(separator: "\n").count { line in
                let words = line.split(separator: " ")
                return words[1].hasSuffix(":" + port) && words.count > 9 && own.contains("socket:[\(words[9])]")
            }
        }
        #expect(try connections() == 1)
        for _ in 0..<20 { #expect(try !listener.hears(nil)) }
        var poller = Poller([listener.socket])
        for _ in 0..<100 where try connections() > 1 { _ = try poller.wait(milliseconds: 100) }
        #expect(try connections() == 1)
        #expect(try listener.hears(Credentials(listener.folder, connects: true)))
    }

    /// Both the old and the new key for a while, then the new one alone.
    @Test func keysAreRotatedWhileTheContextRuns() throws {
        let listener = try Listener(scratch.file("keys"))
        let old = try Credentials(listener.folder, connects: true)
        try listener.folder.addClient("next")
        let newFolder = KeyFolder(scratch.file("next"))
        try FileManager.default.createDirectory(atPath: newFolder.path, withIntermediateDirectories: true)
        try put(listener.folder, "server.pub", into: newFolder)
        try put(listener.folder, "next.key", into: newFolder, as: "client.key")
        let new = try Credentials(newFolder, connects: true)
        #expect(try !listener.hears(new))

        try listener.readKeysAgain()
        #expect(try listener.folder.allowed().map(\.name) == ["client", "next"])
        #expect(try listener.hears(new))
        #expect(try listener.hears(old))
        let list = try text(listener.folder, "allowed").split(separator: "\n").filter { !$0.hasSuffix(" client") }
        try Data(list.map { $0 + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: listener.folder.path + "/allowed"))
        try listener.readKeysAgain()
        #expect(try listener.hears(new))
        #expect(try !listener.hears(old))
    }

    /// A list that cannot be read, or is gone, leaves those in that were.
    @Test(arguments: ["nonsense\n", nil]) func aBrokenListLeavesTheOldOne(text: String?) throws {
        let listener = try Listener(scratch.file("keys"))
        let path = listener.folder.path + "/allowed"
        try FileManager.default.removeItem(atPath: path)
        if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
        listener.hasNewKeys.set()
        var poller = Poller([listener.socket])
        for _ in 0..<100 where listener.lines.all.isEmpty { _ = try poller.wait(milliseconds: 100) }
        #expect(listener.lines.all.count == 1)
        let line = try #require(listener.lines.all.first)
        #expect(line.hasPrefix(path) && line.hasSuffix("; the list of allowed keys stays as it was"), "\(line)")
        #expect(try listener.hears(Credentials(listener.folder, connects: true)))
    }

    /// libzmq gives a connection up for good that was refused (answer 400 of ZAP, ZeroMQ RFC 27). One that waits is let in all the same.
    @Test(arguments: [Socket.Kind.push, .dealer]) func whoIsAllowedLaterIsLetInAndSaysWhyItWaits(kind: Socket.Kind) throws {
        let listener = try Listener(scratch.file("keys"), kind == .push ? .pull : .router)
        try listener.folder.addClient("late")
        let late = KeyFolder(scratch.file("late"))
        try FileManager.default.createDirectory(atPath: late.path, withIntermediateDirectories: true)
        try put(listener.folder, "server.pub", into: late)
        try put(listener.folder, "late.key", into: late, as: "client.key")
        let client = try Socket(kind, in: Context(credentials: Credentials(late, connects: true)), options: Listener.options)
        let begin = ContinuousClock.now
        try client.connect(to: listener.endpoint)
        #expect(client.refusal == nil)
        while listener.context.refusals < 3 { #expect(try !client.waitUntilSendable(milliseconds: 20)) }
        // It asks again every two seconds, and no more often.
        #expect(ContinuousClock.now - begin >= .seconds(4))
        while client.refusal == nil { _ = try client.waitUntilSendable(milliseconds: 20) }
        let key = try late.clientKeys().own.publicKey
        #expect(client.refusal?.contains("key \(key) is not among those allowed") == true, "\(client.refusal ?? "")")
        #expect(listener.lines.all.count == 1, "one line a minute about one client: \(listener.lines.all)")

        try listener.readKeysAgain()
        while try client.send(Message([7])) != .queued { _ = try client.waitUntilSendable(milliseconds: 100) }
        #expect(client.refusal == nil)
        var poller = Poller([listener.socket])
        while try !poller.wait(milliseconds: 100)[0] {}
        #expect(try listener.socket.receiveParts(limit: 2)?.last?.copy == [7])
    }

    /// So is one that came to a server of another key, or without keys, or came without keys itself, once the right server is there.
    @Test(arguments: [true, false], [true, false]) func whoFindsAnotherServerWaitsForTheRightOne(serverHasKeys: Bool, clientHasKeys: Bool)
        throws
    {
        let endpoint = "tcp://127.0.0.1:\(try freePort())"
        func server(_ folder: KeyFolder?) throws -> Socket {
            let context = Context(credentials: try folder.map { try Credentials($0, listens: true) })
            let socket = try Socket(.pull, in: context, options: Listener.options)
            try socket.bind(to: endpoint)
            return socket
        }
        let (right, other) = (KeyFolder(scratch.file("right")), KeyFolder(scratch.file("other")))
        try right.create()
        try other.create()
        let credentials = clientHasKeys ? try Credentials(right, connects: true) : nil
        let client = try Socket(.push, in: Context(credentials: credentials), options: Listener.options)
        // Without keys on both sides this is the right one.
        guard serverHasKeys || clientHasKeys else { return }
        var wrong: Socket? = try server(serverHasKeys ? other : nil)
        try client.connect(to: endpoint)
        while client.refusal == nil { #expect(try !client.waitUntilSendable(milliseconds: 50)) }
        let reason = clientHasKeys ? "it has another key than this machine's server.pub" : "it wants keys (--keys)"
        #expect(client.refusal?.contains(reason) == true, "\(client.refusal ?? "")")
        wrong = nil
        _ = wrong

        let found = try server(clientHasKeys ? right : nil)
        while try client.send(Message([7])) != .queued { _ = try client.waitUntilSendable(milliseconds: 100) }
        var poller = Poller([found])
        while try !poller.wait(milliseconds: 100)[0] {}
        #expect(try found.receive()?.copy == [7])
    }

    @Test func secretKeysBelongToOneUserAndAreNeverOverwritten() throws {
        let folder = KeyFolder(scratch.file("keys"))
        try folder.create()
        for name in ["server.key", "client.key"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/" + name)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        let before = try text(folder, "server.key")
        #expect(throws: Failure.self) { try folder.create() }
        #expect(throws: Failure.self) { try folder.addClient("client") }
        #expect(throws: Failure.self) { try folder.addClient("../client") }
        #expect(try text(folder, "server.key") == before)

        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.path + "/server.key")
        #expect { _ = try folder.serverKey() } throws: { "\($0)".contains("chmod 600") }
    }

    @Test func damagedFilesOfKeysAreRefusedWithTheirLine() throws {
        let folder = KeyFolder(scratch.file("keys"))
        try folder.create()
        let list = try text(folder, "allowed")
        try Data("\(list)\n# a comment\nnonsense here\n".utf8).write(to: URL(fileURLWithPath: folder.path + "/allowed"))
        #expect { _ = try folder.allowed() } throws: { "\($0)".contains("line 4") && !"\($0)".contains("nonsense") }
        try Data("short\n".utf8).write(to: URL(fileURLWithPath: folder.path + "/server.pub"))
        #expect(throws: Failure.self) { _ = try folder.clientKeys() }
        #expect(throws: Failure.self) { _ = try KeyFolder(scratch.file("nowhere")).serverKey() }
        #expect(CurveKey("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7") != nil)
        #expect(CurveKey("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf") == nil)
        #expect(CurveKey("                                        ") == nil)
    }

    /// The pair of libzmq's documentation (zmq_setsockopt, ZMQ_CURVE_SECRETKEY).
    @Test func publicKeysFollowFromSecretOnes() throws {
        let secret = try #require(CurveKey("D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"))
        #expect(secret.publicKey.text == "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID")
    }

    private func text(_ folder: KeyFolder, _ name: String) throws -> String {
        try String(contentsOfFile: folder.path + "/" + name, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func put(_ source: KeyFolder, _ name: String, into target: KeyFolder, as newName: String? = nil) throws {
        let path = target.path + "/" + (newName ?? name)
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.copyItem(atPath: source.path + "/" + name, toPath: path)
    }
}

/// A port of this machine that nobody listens at.
private func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0 }
    }
    try #require(isBound)
    return UInt16(bigEndian: address.sin_port)
}
