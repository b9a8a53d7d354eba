import Foundation
import TestSupport
import Testing

/// Whole runs whose videos come from a web server that is away, restarted, broken, frozen, or has lost a file.
@Suite(.serialized, .enabled(if: Nginx.program != nil, .init(rawValue: Nginx.absence))) struct MediaServerTests {
    /// A window of a few steps, so that videos are read until the end of the run; and a video that is gone.
    private static let settings = ["train.steps=400", "dataflow.batcherMemory=44", "dataflow.failureLimit=0.9"]

    private func settings(_ data: TinyDataSet, _ server: Nginx) -> [String] {
        Self.settings + ["data.media=\(server.url)/", "data.manifest=\"\(data.manifest)\""]
    }

    @Test(.timeLimit(.minutes(30))) func theStreamIsThatOfTheFolderWhateverTheServerDoes() throws {
        let data = try TinyDataSet()
        try FileManager.default.removeItem(atPath: data.videos.last!)
        let folder = try data.run("folder", settings: Self.settings)
        #expect(folder.output.contains("no such file: nothing has this name"), "\(folder.output)")

        let server = try Nginx(serving: data.folder + "/train", in: data.folder + "/nginx")
        let path = try data.makeFolder("server")
        let running = try data.start(in: path, settings: settings(data, server))
        try wait(for: "Connection refused", in: running)
        try server.start()
        try wait(for: "step 1/400", in: running)
        server.stop()
        try server.start(answer: "location / { return 503; }")
        try wait(for: "5XX", in: running)
        server.stop()
        try server.start()
        let (status, output) = Programs.finish(running)
        #expect(status == 0, "\(output)")
        #expect(output.contains("no such file: the server answers: Server returned 404 Not Found"), "\(output)")
        #expect(try String(contentsOfFile: path + "/samples.log", encoding: .utf8) == folder.sampleLog)
        #expect(server.requests.contains { $0.contains(" 206 ") }, "it was asked for ranges")
    }

    /// Members of an archive, and spans of them, are read out of it by ranges: the same samples as from the disk, and as from files unpacked.
    @Test(.timeLimit(.minutes(30))) func archivesAreReadByRanges() throws {
        let data = try TinyDataSet()
        let packed = try data.makeFolder("packed")
        let (status, output) = try Programs.run(path: "/bin/tar", ["-cf", packed + "/a.tar", "-C", data.folder + "/train", "."])
        #expect(status == 0, "\(output)")
        let names = data.videos.map { URL(fileURLWithPath: $0).lastPathComponent }
        func list(_ prefix: String) -> String {
            "path,start_frame,end_frame\n" + names.map { "\(prefix)\($0),10,60\n\(prefix)\($0),40,90\n" }.joined()
        }
        var logs: [String] = []
        for (name, folder, prefix) in [("files", data.folder + "/train", ""), ("disk", packed, "a.tar/"), ("server", packed, "a.tar/")] {
            try Data(list(prefix).utf8).write(to: URL(fileURLWithPath: data.folder + "/list.csv"))
            let prepared = data.folder + "/prepared-" + name
            let server = try Nginx(serving: folder, in: data.folder + "/nginx-" + name)
            if name == "server" { try server.start() }
            let media = name == "server" ? server.url : folder
            try data.expectSuccess(
                "tandem",
                ["prepare", media, "--list", data.folder + "/list.csv", "--output", prepared]
                    + (name == "server" ? ["--archives", "a.tar,gone-{08..10}.tar"] : []))
            let run = try data.run(
                name, settings: ["train.steps=40", "data.media=\"\(media)\"", "data.manifest=\"\(prepared)/manifest.tandem\""])
            logs.append(run.sampleLog)
            if name == "server" { #expect(server.requests.contains { $0.contains("/a.tar") && $0.contains(" 206 ") }) }
        }
        #expect(logs[2] == logs[1])
        let rejects = try String(contentsOfFile: data.folder + "/prepared-server/rejects.jsonl", encoding: .utf8)
        for name in ["gone-08.tar", "gone-09.tar", "gone-10.tar"] {
            #expect(rejects.contains("\"\(name)\"") && rejects.contains("no such file"))
        }
        #expect(logs[1].replacingOccurrences(of: "\ta.tar/", with: "\t") == logs[0])
        for line in logs[0].split(separator: "\n").dropFirst() {
            let frames = line.split(separator: "\t")[8].split(separator: ",").compactMap { Int($0) }
            #expect(frames.allSatisfy((10..<60).contains) || frames.allSatisfy((40..<90).contains), "\(line)")
        }
    }

    /// 410 is an answer about the file as 404 is; 403 and others are not.
    @Test(.timeLimit(.minutes(30))) func whatIsGoneIsReplaced() throws {
        let data = try TinyDataSet()
        let server = try Nginx(serving: data.folder + "/train", in: data.folder + "/nginx")
        let name = URL(fileURLWithPath: data.videos.last!).lastPathComponent
        try server.start(answer: "location = /\(name) { return 410; }")
        let run = try data.run("gone", settings: settings(data, server))
        #expect(run.output.contains("replaced \(name)") && run.output.contains("no such file: the server answers"), "\(run.output)")
    }

    @Test(.timeLimit(.minutes(30)), arguments: ["return 403;", "return 302 file:///etc/passwd;"])
    func aServerThatStaysAwayEndsTheRunAndReplacesNothing(answer: String) throws {
        let data = try TinyDataSet()
        let server = try Nginx(serving: data.folder + "/train", in: data.folder + "/nginx")
        try server.start(answer: "location / { \(answer) }")
        let settings = settings(data, server) + ["dataflow.timeout=2"]
        let (status, output) = Programs.finish(try data.start(in: try data.makeFolder("away"), settings: settings))
        #expect(status == 1)
        #expect(output.contains("cannot reach the server: nothing came for 2 s"), "\(output)")
        #expect(!output.contains("replaced"), "\(output)")
    }

    /// A decoder that crashes in a video says so: the video is replaced, the decoder started again, the run goes on. The crash is a signal
    /// sent while the decoder waits for a frozen server, in the middle of a ticket for certain.
    @Test(.timeLimit(.minutes(30))) func aVideoThatCrashesItsDecoderIsReplaced() throws {
        let data = try TinyDataSet()
        let server = try Nginx(serving: data.folder + "/train", in: data.folder + "/nginx")
        try server.start()
        let settings = settings(data, server) + ["dataflow.decoders=1"]
        let running = try data.start(in: try data.makeFolder("crash"), settings: settings)
        try wait(for: "step 1/400", in: running)
        server.signal(SIGSTOP)
        try wait(for: "timed out", in: running)
        let decoder = try #require(processes(named: "tandem-decoder", with: server.url).first)
        kill(decoder, SIGSEGV)
        try wait(for: "it crashes its decoder, signal \(SIGSEGV)", in: running)
        server.signal(SIGCONT)
        let (status, output) = Programs.finish(running)
        #expect(status == 0, "\(output)")
        #expect(output.contains("decoder-1 | ended, having told why; starting it again"), "\(output)")
        #expect(output.split(separator: "\n").filter { $0.contains("| replaced") }.count == 1, "\(output)")
    }

    // MARK: Certificates

    @Test(
        .timeLimit(.minutes(30)),
        .enabled(if: Nginx.hasOpenSSL, "no openssl to make a certificate with; 'apt-get install openssl' installs it"))
    func certificatesAreVerified() throws {
        let data = try TinyDataSet()
        let few = ["train.steps=10"]
        let folder = try data.run("folder", settings: Self.settings + few)
        let server = try Nginx(serving: data.folder + "/train", in: data.folder + "/nginx", identity: "IP:127.0.0.1")
        try server.start()
        let trust = ["SSL_CERT_FILE": server.certificate]
        #expect(try data.run("trusted", settings: settings(data, server) + few, environment: trust).sampleLog == folder.sampleLog)
        #expect(server.requests.contains { $0.contains(" 206 ") })

        /// What a run says that must not take place.
        func refusal(_ name: String, _ server: Nginx, _ environment: [String: String]) throws -> String {
            let settings = settings(data, server) + ["dataflow.timeout=2"]
            let (status, output) = Programs.finish(try data.start(in: data.makeFolder(name), settings: settings, environment: environment))
            #expect(status == 1 && output.contains("cannot reach the server") && !output.contains("replaced"), "\(output)")
            return output
        }
        #expect(try refusal("stranger", server, [:]).contains("its certificate is not vouched for; SSL_CERT_FILE can name"))

        let other = try Nginx(serving: data.folder + "/train", in: data.folder + "/other", identity: "DNS:other.example")
        try other.start()
        #expect(try refusal("other", other, ["SSL_CERT_FILE": other.certificate]).contains("its certificate is not vouched for"))

        let plain = try Nginx(serving: data.folder + "/train", in: data.folder + "/plain")
        try plain.start()
        server.stop()
        try server.start(answer: "location / { return 302 \(plain.url)$request_uri; }")
        #expect(try refusal("downgrade", server, trust).contains("it leads from https to http"))
    }
}
