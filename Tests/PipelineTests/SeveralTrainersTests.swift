import Foundation
import TestSupport
import Testing

/// Trainers that MPI starts leave what one trainer leaves.
@Suite(.serialized, .timeLimit(.minutes(30))) struct SeveralTrainersTests {
    /// An MPI of this machine, and what `make mpi` builds for it.
    final class Site: @unchecked Sendable, CustomTestStringConvertible {
        let testDescription: String
        let library: String

        /// What the launcher is told of two hosts of namespaces, and what it has in its environment.
        func options(_ hosts: [String], remoteShell: String) -> (arguments: [String], environment: [String: String]) {
            let all = hosts.joined(separator: ",")
            guard testDescription == "openmpi" else { return (["-hosts", all, "-iface", "cable", "-launcher-exec", remoteShell], [:]) }
            let network = ["btl_tcp_if_include", "oob_tcp_if_include"].flatMap { ["--mca", $0, "cable"] }
            return (
                [
                    "--host", all, "-x", "TANDEM_MPI", "--mca", "plm_rsh_agent", remoteShell, "--mca", "btl", "tcp,self", "--mca", "pml",
                    "ob1",
                ]
                    + network, ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"]
            )
        }

        init?(_ name: String) {
            guard let compiler = Programs.find("mpicc." + name), Programs.find("mpirun." + name) != nil else { return nil }
            testDescription = name
            library = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-\(UUID().uuidString).so").path
            let source = #filePath.replacingOccurrences(
                of: "Tests/PipelineTests/SeveralTrainersTests.swift", with: "Sources/Ranks/tandem-mpi.c")
            let arguments = [
                "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-DTANDEM_LAUNCHER=\"mpirun.\(name)\"", source, "-o", library,
            ]
            let result = try? Programs.run(path: compiler, arguments)
            if result?.status != 0 { Issue.record("mpicc.\(name): \(result?.output ?? "cannot be started")") }
        }

        deinit { try? FileManager.default.removeItem(atPath: library) }
    }

    static let sites = ["mpich", "openmpi"].compactMap(Site.init)
    private static let settings = ["train.steps=40", "train.checkpointEvery=10", "train.keepCheckpoints=10", "dataflow.decoders=1"]

    private func run(
        _ data: TinyDataSet, _ name: String, trainers: Int, _ site: Site, settings: [String] = settings
    ) throws -> TinyDataSet.Outcome {
        try data.run(
            name, settings: settings, options: ["--trainers", "\(trainers)"], environment: ["TANDEM_MPI": site.library])
    }

    @Test(.enabled(if: !sites.isEmpty, "there is neither mpicc.mpich nor mpicc.openmpi"), arguments: sites)
    func theWeightsDoNotDependOnTheNumberOfTrainers(site: Site) throws {
        let data = try TinyDataSet()
        let whole = try run(data, "whole", trainers: 1, site)
        for count in [2, 3, 4, 8] {
            let shared = try run(data, "by-\(count)", trainers: count, site)
            #expect(shared.output.contains("\(count) trainers, \(count) on this host"), "\(shared.output)")
            #expect(shared.sampleLog == whole.sampleLog, "\(count) trainers")
            #expect(try shared.arrays == whole.arrays, "\(count) trainers")
        }
        // From checkpoints that others have left.
        for (step, count) in [(10, 8), (20, 3), (30, 1)] {
            let name = "from-\(step)"
            try FileManager.default.copyItem(atPath: data.folder + (step == 10 ? "/whole" : "/by-3"), toPath: data.folder + "/" + name)
            for later in stride(from: step + 10, through: 40, by: 10) {
                try FileManager.default.removeItem(
                    atPath: "\(data.folder)/\(name)/runs/tiny/checkpoints/step-000000\(later).safetensors")
            }
            let rest = try run(data, name, trainers: count, site)
            #expect(rest.output.contains("continuing after step \(step) of 40"), "\(rest.output)")
            #expect(rest.sampleLog == whole.sampleLog, "from step \(step) with \(count) trainers")
            #expect(try rest.arrays == whole.arrays, "from step \(step) with \(count) trainers")
        }
    }

    /// The hosts reach one another over TCP, with keys where the data flows.
    @Test(
        .enabled(if: !sites.isEmpty, "there is neither mpicc.mpich nor mpicc.openmpi"),
        .enabled(if: TwoHosts.obstacle == nil, Comment(rawValue: TwoHosts.obstacle ?? "")), arguments: sites)
    func trainersOfTwoHosts(site: Site) throws {
        let data = try TinyDataSet()
        let whole = try run(data, "whole", trainers: 1, site)
        let (hosts, folder) = (try TwoHosts(), try data.makeFolder("hosts"))
        let (shell, batcher) = (folder + "/shell", "tcp://\(TwoHosts.addresses[0]):5555")
        try hosts.writeRemoteShell(to: shell)
        #expect(try Programs.run("tandem", ["keys", "keys"], in: folder).status == 0)
        let pipeline = ["--pipeline", data.folder + "/whole/runs/tiny/pipeline.json5", "--keys", "keys"]
        let parts = [
            hosts.process(Programs.folder + "/tandem-batcher", pipeline + ["--bind", batcher], on: 0, in: folder),
            hosts.process(
                Programs.folder + "/tandem-decoder", ["--connect", batcher, "--media", data.folder + "/train", "--keys", "keys"], on: 1,
                in: folder),
        ]
        for part in parts {
            part.standardError = FileHandle.nullDevice
            try part.run()
        }
        defer { for part in parts { part.terminate() } }
        let options = site.options(TwoHosts.addresses, remoteShell: shell)
        let launcher = hosts.process(
            "mpirun." + site.testDescription,
            options.arguments + ["-n", "2", Programs.folder + "/tandem-trainer"] + pipeline
                + ["--batcher", batcher, "--sample-log", "samples.log", "--progress", "plain"], on: 0, in: folder)
        let output = Pipe()
        (launcher.standardOutput, launcher.standardError) = (output, output)
        launcher.environment = ProcessInfo.processInfo.environment.merging(options.environment) { $1 }.merging(
            ["TANDEM_MPI": site.library]) { $1 }
        try launcher.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        launcher.waitUntilExit()
        #expect(launcher.terminationStatus == 0 && text.contains("2 trainers, 1 on this host"), "\(text)")
        #expect(try String(contentsOfFile: folder + "/samples.log", encoding: .utf8) == whole.sampleLog)
        let last = folder + "/runs/tiny/checkpoints/step-00000040.safetensors"
        #expect(try TinyDataSet.Outcome(folder: folder, output: "", sampleLog: "", lastCheckpoint: last).arrays == whole.arrays)
        // MPICH's UCX notices that the two are one machine, and goes through its memory.
        guard site.testDescription == "openmpi" else { return }
        let numbers = try whole.arrays.values.reduce(0) { $0 + $1.count } / 3
        #expect(try hosts.bytesReceived(on: 1) > 40 * 4 * numbers, "half of the gradients and half of the values in each step")
    }

    /// What a recipe sums beside gradients, and what it notes of each pass through the network, does not depend on it either.
    @Test(
        .enabled(if: !sites.isEmpty, "there is neither mpicc.mpich nor mpicc.openmpi"),
        arguments: [
            ("ibot", TinyDataSet.headOfCrops, ["sampling.localSize=16", "sampling.localCrops=2", "mask.ratio=0.5"]),
            ("siamese-im", TinyDataSet.decoder, []),
        ])
    func teachersDoNotDependOnIt(recipe: String, head: String, settings: [String]) throws {
        let data = try TinyDataSet(head: head)
        let all = Self.settings.dropFirst() + ["recipe=\(recipe)", "train.steps=10"] + settings
        let whole = try run(data, "whole", trainers: 1, Self.sites[0], settings: Array(all))
        let shared = try run(data, "shared", trainers: 3, Self.sites[0], settings: Array(all))
        #expect(try shared.arrays == whole.arrays)
        #expect(shared.sampleLog == whole.sampleLog)
    }

    /// A trainer that is killed ends the others; all go on at the last checkpoint.
    @Test(.enabled(if: !sites.isEmpty, "there is neither mpicc.mpich nor mpicc.openmpi"), arguments: sites)
    func aKilledTrainerChangesNothing(site: Site) throws {
        let data = try TinyDataSet()
        let settings = Self.settings.dropFirst() + ["train.steps=400"]
        let whole = try run(data, "whole", trainers: 1, site, settings: Array(settings))
        let folder = try data.makeFolder("killed")
        let running = try data.start(
            in: folder, settings: Array(settings), options: ["--trainers", "2"], environment: ["TANDEM_MPI": site.library])
        let checkpoints = folder + "/runs/tiny/checkpoints"
        while running.process.isRunning, !FileManager.default.fileExists(atPath: checkpoints + "/step-00000020.safetensors") {
            usleep(10_000)
        }
        let victim = try #require(Self.trainers(in: folder).last)
        kill(victim, SIGKILL)
        let (status, output) = Programs.finish(running)
        #expect(status == 0 && output.contains("ended with signal 9 (Killed); starting it again"), "\(output)")
        #expect(try String(contentsOfFile: folder + "/samples.log", encoding: .utf8) == whole.sampleLog)
        let last = checkpoints + "/step-00000400.safetensors"
        #expect(try TinyDataSet.Outcome(folder: folder, output: "", sampleLog: "", lastCheckpoint: last).arrays == whole.arrays)
    }

    /// The trainers that work in a folder.
    private static func trainers(in folder: String) throws -> [pid_t] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { process in
            let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
            return program?.hasSuffix("/tandem-trainer") == true && place == folder
        }.sorted()
    }

    @Test(.enabled(if: !sites.isEmpty, "there is neither mpicc.mpich nor mpicc.openmpi"))
    func whatCannotBeSharedIsRefused() throws {
        let data = try TinyDataSet()
        func refusal(_ settings: [String], trainers: Int, library: String, _ environment: [String: String] = [:]) throws -> String {
            let folder = try data.makeFolder("refused-\(UUID().uuidString)")
            let (status, output) = Programs.finish(
                try data.start(
                    in: folder, settings: Self.settings + settings, options: ["--trainers", "\(trainers)"],
                    environment: ["TANDEM_MPI": library].merging(environment) { $1 }))
            #expect(status == 1, "\(output)")
            return output
        }
        let library = Self.sites[0].library
        #expect(
            try refusal(["train.shards=2"], trainers: 3, library: library).contains(
                "3 trainers cannot share a step of 2 shards: start fewer, or a new run with train.shards=8"))
        #expect(try refusal(["train.shards=3"], trainers: 2, library: library).contains("a power of two that divides train.batch (8)"))
        #expect(try refusal(["train.batch=4"], trainers: 2, library: library).contains("a power of two that divides train.batch (4)"))
        #expect(try refusal([], trainers: 2, library: "/nowhere/tandem-mpi.so").contains("install MPI"))
        #expect(try refusal([], trainers: 2, library: data.videos[0]).contains("cannot be loaded"))
        // As in each of the processes of 'srun -n 2', which knows nothing of MPI by default.
        let slurm = ["SLURM_NTASKS": "2", "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0"]
        #expect(try refusal([], trainers: 2, library: library, slurm).contains("srun has started 2 processes without MPI"))
    }

    /// One that has another pipeline would make other weights.
    @Test(.enabled(if: !sites.isEmpty, "there is neither mpicc.mpich nor mpicc.openmpi"), arguments: sites)
    func trainersThatAreUnlikeAreRefused(site: Site) throws {
        let data = try TinyDataSet()
        func trainer(_ settings: String...) -> [String] {
            [
                "-n", "1", Programs.folder + "/tandem-trainer", "--pipeline", data.folder + "/tiny.json5", "--batcher",
                "ipc://\(data.folder)/none",
            ]
                + ["--folder", data.folder + "/run", "--set", "train.shards=2"] + settings.flatMap { ["--set", $0] }
        }
        let launcher = try #require(Programs.find("mpirun." + site.testDescription))
        let (status, output) = try Programs.run(
            path: launcher, trainer() + [":"] + trainer("train.weightDecay=0.1"),
            environment: ["TANDEM_MPI": site.library, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"])
        #expect(status != 0 && output.contains("the trainers of a run must be alike, and the pipeline of rank 1 is"), "\(output)")
    }
}
