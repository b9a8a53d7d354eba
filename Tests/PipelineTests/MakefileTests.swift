import Foundation
import TestSupport
import Testing

/// Who installs system libraries: the tasks that say so, and no other.
@Suite(.enabled(if: Programs.find("make") != nil, "there is no make"), .timeLimit(.minutes(30)))
struct MakefileTests {
    /// Runs make on a machine that is made up: its programs only write down how they were called.
    ///
    /// - Parameter isInstalled: whether dpkg has the libraries from the start; apt-get brings them.
    /// - Returns: make's exit code and what it printed, and the calls, one a line.
    private func make(_ arguments: [String], isInstalled: Bool) throws -> (status: Int32, output: String, calls: String) {
        try withTemporaryFolder { folder in
            func program(_ name: String, _ script: String) throws {
                let text = "#!/bin/bash\necho \"$(basename \"$0\") $*\" >>\(folder)/calls\n" + script
                try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/" + name)
            }
            try Data().write(to: URL(fileURLWithPath: folder + "/calls"))
            if isInstalled { try Data().write(to: URL(fileURLWithPath: folder + "/installed")) }
            try program("dpkg-query", "test -e \(folder)/installed && echo install ok installed")
            try program("apt-get", "[[ $1 != install ]] || touch \(folder)/installed")
            try program("sudo", "exec \"$@\"")
            for name in ["swift", "tandem", "chaos", "python"] { try program(name, "") }
            try FileManager.default.createDirectory(atPath: folder + "/bin", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(atPath: folder + "/bin/python", withDestinationPath: folder + "/python")

            // Without the environment, by which a make that runs these tests would tell its own how to go about it.
            let (status, output) = try Programs.run(
                path: "/usr/bin/env",
                [
                    "-i", "PATH=\(folder):/usr/bin:/bin", "HOME=\(folder)", "make", "-C", Programs.package, "BIN=\(folder)",
                    "PEERS=\(folder)",
                ]
                    + arguments)
            return (status, output, try String(contentsOfFile: folder + "/calls", encoding: .utf8))
        }
    }

    @Test(arguments: [
        ["build"], ["run", "PIPELINE=a.json5"], ["decoders", "CONNECT=ipc://a", "MEDIA=a"], ["report", "RUNS=a"], ["bench"],
        ["bench-peers"], ["fuzz"], ["chaos"],
    ])
    func nothingIsInstalledUnasked(task: [String]) throws {
        let (status, output, calls) = try make(task, isInstalled: false)
        #expect(status != 0)
        #expect(output.contains("missing: libavformat-dev") && output.contains("libjs-dygraphs; 'make setup' installs them"), "\(output)")
        #expect(["apt-get", "sudo", "swift", "tandem"].allSatisfy { !calls.contains($0) }, "\(calls)")
    }

    @Test(arguments: ["setup", "test", "demo"]) func whatIsMissingIsInstalledWhereTheTaskSaysSo(task: String) throws {
        let (status, output, calls) = try make([task], isInstalled: false)
        #expect(status == 0 && output.contains("installing libavformat-dev"), "\(output)")
        #expect(calls.contains("apt-get install -qq -y --no-install-recommends libavformat-dev"), "\(calls)")
        #expect(calls.contains("swift build") == (task != "setup"), "\(calls)")
        #expect(calls.contains("tandem demo") == (task == "demo"), "\(calls)")
    }

    @Test(arguments: ["setup", "build", "test", "demo", "chaos"]) func whatIsThereIsLeftAlone(task: String) throws {
        let (status, output, calls) = try make([task], isInstalled: true)
        #expect(status == 0, "\(output)")
        #expect(!calls.contains("apt-get") && !calls.contains("sudo"), "\(calls)")
    }

    /// Compose reads what a user says from the file that make writes: from the environment it would take paths as they were said.
    @Test func containersAreTheUsers() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.copyItem(atPath: Programs.package + "/Makefile", toPath: folder + "/Makefile")
            try FileManager.default.createDirectory(atPath: folder + "/Docker/keys", withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: folder + "/Docker/keys/server.key"))
            try Data("#!/bin/bash\necho \"docker $*\"; env\n".utf8).write(to: URL(fileURLWithPath: folder + "/docker"))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/docker")
            let (status, output) = try Programs.run(
                path: "/usr/bin/env",
                [
                    "-i", "PATH=\(folder):/usr/bin:/bin", "make", "-C", folder, "docker-serve", "MEDIA=videos", "PIPELINE=a.json5",
                    "SET=--set seed=2", "N=3", "PORTS=6000-6002",
                ])
            #expect(status == 0, "\(output)")
            #expect(output.contains("docker compose -p tandem up -d --scale decoder=3 batcher decoder"), "\(output)")
            #expect(output.contains("tandem.Stream(\"tcp://127.0.0.1:6000\""), "\(output)")
            for name in ["MEDIA", "PIPELINE", "SET", "PORTS"] { #expect(!output.contains("\n\(name)="), "\(output)") }
            let settings = try String(contentsOfFile: folder + "/Docker/.env", encoding: .utf8)
            #expect(settings.contains("PIPELINE=\(folder)/a.json5\n") && settings.contains("MEDIA=\(folder)/videos\n"), "\(settings)")
            #expect(settings.contains("SET=--set seed=2\n") && settings.contains("PORTS=6000-6002\n"), "\(settings)")
        }
    }
}
