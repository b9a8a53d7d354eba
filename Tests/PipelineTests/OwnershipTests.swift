import Foundation
import Media
import Pictures
import TestSupport
import Testing

/// No command replaces or removes a file that it did not make, and each goes on with what it made.
@Suite(.serialized) struct OwnershipTests {
    private static let weights =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures/Weights/"

    private func tandem(_ arguments: [String], in folder: String) throws -> (status: Int32, output: String) {
        try Programs.run("tandem", arguments, in: folder, seconds: 100)
    }

    private func expectSuccess(_ arguments: [String], in folder: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let (status, output) = try tandem(arguments, in: folder)
        #expect(status == 0, "\(output)", sourceLocation: sourceLocation)
    }

    /// Expects a refusal that says this, after which every file of the folder is as before and none is added.
    private func expectRefusal(
        _ sentence: String, _ arguments: [String], in folder: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = contents(folder)
        let (status, output) = try tandem(arguments, in: folder)
        #expect(status == 1 && output.contains(sentence), "\(output)", sourceLocation: sourceLocation)
        let after = contents(folder)
        #expect(Set(after.keys) == Set(before.keys), sourceLocation: sourceLocation)
        for (name, bytes) in before { #expect(after[name] == bytes, "\(name)", sourceLocation: sourceLocation) }
    }

    /// Every file below a folder but what the test itself keeps of programs' outputs.
    private func contents(_ folder: String) -> [String: Data] {
        let names = (FileManager.default.subpaths(atPath: folder) ?? []).filter { !$0.hasSuffix(".output") }
        return Dictionary(
            uniqueKeysWithValues: names.compactMap { name in
                FileManager.default.contents(atPath: folder + "/" + name).map { (name, $0) }
            })
    }

    private func put(_ text: String, _ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// A DAVIS data set of one sequence of four frames in `data`.
    private func putDAVIS(in folder: String) throws {
        let (frames, masks) = (folder + "/data/JPEGImages/480p/one", folder + "/data/Annotations/480p/one")
        for path in [frames, masks] { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        try put("one\n", folder + "/data/ImageSets/2017/val.txt")
        let mask = IndexImage(width: 64, height: 48, indices: (0..<64 * 48).map { $0 % 64 < 30 ? 1 : 0 })
        for index in 0..<4 {
            try writeJPEG(RGBImage(width: 64, height: 48, color: RGBColor(120, 120, 120)), to: "\(frames)/0000\(index).jpg")
            try writePNG(mask, to: "\(masks)/0000\(index).png")
        }
    }

    // MARK: Single files

    @Test func weightsReplaceNoOthers() throws {
        try withTemporaryFolder { folder in
            for name in ["timm.pth", "encoder.safetensors", "encoder.pth"] {
                try FileManager.default.copyItem(atPath: Self.weights + name, toPath: folder + "/" + name)
            }
            try put("a user's", folder + "/notes.txt")
            try put("a user's", folder + "/new.safetensors.partial")
            let importing = ["import", "timm.pth", "--heads", "2", "--output"]
            let exporting = ["export", "--weights", "encoder.pth", "--output"]
            let links = ["link.safetensors": "encoder.safetensors", "dangling.safetensors": "nowhere"]
            for (link, target) in links {
                try FileManager.default.createSymbolicLink(atPath: folder + "/" + link, withDestinationPath: target)
            }
            for command in [importing, exporting] {
                for name in ["notes.txt", "encoder.safetensors"] {
                    let sentence = "\(name) is there and was not made by 'tandem export' or 'tandem import'"
                    try expectRefusal(sentence, command + [name], in: folder)
                }
                for (link, target) in links { try expectRefusal("\(link) is a link to \(target)", command + [link], in: folder) }
                try expectRefusal("there is no folder nowhere", command + ["nowhere/new.safetensors"], in: folder)
                try expectRefusal(". is a folder", command + ["."], in: folder)
                // What was made can be made again, also under a name of one letter.
                for name in ["new.safetensors", "w"] {
                    for _ in 0..<2 { try expectSuccess(command + [name], in: folder) }
                }
                let onto = command == importing ? ["import"] : ["export", "--weights"]
                try expectRefusal("is the file that is read", onto + ["new.safetensors", "--output", "new.safetensors"], in: folder)
            }
            try FileManager.default.linkItem(atPath: folder + "/new.safetensors", toPath: folder + "/hard.safetensors")
            try expectRefusal(
                "hard.safetensors is the file that is read", ["import", "new.safetensors", "--output", "hard.safetensors"], in: folder)
            #expect(FileManager.default.contents(atPath: folder + "/new.safetensors.partial") == Data("a user's".utf8))
        }
    }

    @Test(.timeLimit(.minutes(30))) func picturesReplaceNoOthers() throws {
        let data = try TinyDataSet()
        let folder = try data.run("one", settings: []).folder
        let checkpoint = "runs/tiny/checkpoints/step-00000006.safetensors"
        try expectRefusal(
            "\(checkpoint) is there and was not made by 'tandem export'",
            ["export", "--weights", "runs/tiny/checkpoints/step-00000000.safetensors", "--output", checkpoint], in: folder)

        let frames = folder + "/frames"
        let source = data.folder + "/davis/JPEGImages/480p/sequence-00000"
        try FileManager.default.createDirectory(atPath: frames, withIntermediateDirectories: true)
        for name in ["00000.jpg", "00001.jpg"] {
            try FileManager.default.copyItem(atPath: "\(source)/\(name)", toPath: "\(frames)/\(name)")
        }
        let kinds = [
            "reconstructions": ["--weights", "runs/tiny", "--samples", "1", "--ratios", ".5", data.folder + "/train"],
            "attention": ["--weights", "runs/tiny", "--size", "64", "frames"],
            "correspondence": ["--weights", "runs/tiny", "--size", "64", "--patch", "0,0", "frames"],
        ]
        try writePNG(RGBImage(width: 4, height: 4, color: .white), to: folder + "/user.png")
        for (kind, options) in kinds {
            let command = ["visualize", kind] + options + ["--output"]
            for name in ["user.png", "runs/tiny/log.txt"] {
                try expectRefusal("\(name) is there and was not made by 'tandem visualize'", command + [name], in: folder)
            }
            try expectRefusal("frames/00000.jpg", command + ["frames/00000.jpg"], in: folder)
            for _ in 0..<2 { try expectSuccess(command + [kind + ".png"], in: folder) }
        }
        for kind in ["attention", "correspondence"] {
            let command = ["visualize", kind] + kinds[kind]! + ["--output"]
            try expectRefusal("would lie among what is read", command + ["frames/sheet.png"], in: folder)
        }
        try expectRefusal(
            "attention.png is the file that is read",
            ["visualize", "attention", "--weights", "runs/tiny", "attention.png", "--output", "attention.png"], in: folder)
    }

    // MARK: Folders

    @Test func evaluationsReplaceNoOthers() throws {
        try withTemporaryFolder { folder in
            try putDAVIS(in: folder)
            func evaluate(_ output: String, root: String = "data") -> [String] {
                ["evaluate", "--baseline", "copy", "--root", root, "--output", output]
            }
            try FileManager.default.createSymbolicLink(atPath: folder + "/door", withDestinationPath: "data/Annotations")
            for output in ["data/Annotations/480p", "data", "data/results", "door/480p", "door/new"] {
                try expectRefusal("\(output) is part of data, which is read", evaluate(output), in: folder)
            }
            try FileManager.default.createSymbolicLink(atPath: folder + "/DAVIS", withDestinationPath: "data")
            try expectRefusal("is part of DAVIS", evaluate("data/Annotations/480p", root: "DAVIS"), in: folder)
            for name in ["one/00000.png", "one", "scores.csv", "scores.json", "evaluation.json"] {
                try put("a user's", "\(folder)/mine/\(name)")
                let place = "mine/" + (name.hasPrefix("one") ? "one" : name)
                try expectRefusal("\(place) is there and was not made by this evaluation", evaluate("mine"), in: folder)
                try FileManager.default.removeItem(atPath: folder + "/mine")
            }
            try put("a user's", folder + "/file")
            try expectRefusal("file is a file, and a folder is wanted", evaluate("file"), in: folder)

            // One that was interrupted goes on, and so does one that an older version began.
            try expectSuccess(evaluate("out"), in: folder)
            let done = contents(folder + "/out")
            try FileManager.default.removeItem(atPath: folder + "/out/one/00001.png")
            try expectSuccess(evaluate("out"), in: folder)
            #expect(contents(folder + "/out")["one/00001.png"] == done["one/00001.png"])
            try FileManager.default.removeItem(atPath: folder + "/out/.tandem-made")
            try FileManager.default.removeItem(atPath: folder + "/out/one/00002.png")
            try expectSuccess(evaluate("out"), in: folder)
            #expect(contents(folder + "/out")["one/00002.png"] == done["one/00002.png"])
        }
    }

    /// The official tables go into the user's folder of results, where the official tool may have put its own.
    @Test func tablesOfOtherToolsStay() throws {
        try withTemporaryFolder { folder in
            try putDAVIS(in: folder)
            try FileManager.default.copyItem(atPath: folder + "/data/Annotations/480p", toPath: folder + "/results")
            let table = folder + "/results/global_results-val.csv"
            try put("a user's", table)
            let score = ["evaluate", "--metrics-only", "--results", "results", "--root", "data"]
            let (status, output) = try tandem(score, in: folder)
            #expect(
                status == 0 && output.contains("global_results-val.csv is there and was not made by this evaluation; remove it"),
                "\(output)")
            #expect(output.contains("all objects"), "\(output)")
            #expect(FileManager.default.contents(atPath: table) == Data("a user's".utf8))
            try FileManager.default.removeItem(atPath: table)
            for _ in 0..<2 {
                let (status, output) = try tandem(score, in: folder)
                #expect(status == 0 && !output.contains("warning"), "\(output)")
            }
            #expect(try String(contentsOfFile: table, encoding: .utf8).hasPrefix("J&F-Mean"))

            // Nor are there tables among annotations, which can be scored as results.
            let before = contents(folder + "/data")
            let (scored, warning) = try tandem(
                ["evaluate", "--metrics-only", "--results", "data/Annotations/480p", "--root", "data"], in: folder)
            #expect(scored == 0 && warning.contains("would lie among what is read, in data"), "\(warning)")
            #expect(contents(folder + "/data") == before)
        }
    }

    @Test func overlaysReplaceNoOthers() throws {
        try withTemporaryFolder { folder in
            try putDAVIS(in: folder)
            for name in ["results", "others"] {
                try FileManager.default.copyItem(atPath: folder + "/data/Annotations/480p", toPath: folder + "/" + name)
            }
            func draw(_ output: String, results: String = "results") -> [String] {
                ["visualize", "overlays", "--results", results, "--root", "data", "--output", output]
            }
            for output in ["results", "results/one", "data/JPEGImages/480p/one", "data"] {
                try expectRefusal("which is read", draw(output), in: folder)
            }
            for name in ["one.mp4", "one.png"] {
                try put("a user's", "\(folder)/mine/\(name)")
                try expectRefusal("mine/\(name) is there and was not made by this drawing", draw("mine"), in: folder)
                try FileManager.default.removeItem(atPath: folder + "/mine")
            }
            for _ in 0..<2 { try expectSuccess(draw("out"), in: folder) }
            try expectRefusal("out/one.png is there and was not made by this drawing, but by", draw("out", results: "others"), in: folder)
        }
    }

    @Test func scenesReplaceNoOthers() throws {
        try withTemporaryFolder { folder in
            let command = ["synthesize", "--videos", "1", "--sequences", "0"]
            for name in ["davis/ImageSets/2017/val.txt", "synthesis.txt", "train/video-00000.mp4"] {
                try put("a user's", "\(folder)/mine/\(name)")
                let place = name.split(separator: "/")[0]
                let taken = "mine/\(place) is there and was not made by this synthesis"
                let sentence = name == "synthesis.txt" ? "mine: holds the scenes of" : taken
                try expectRefusal(sentence, command + ["mine"], in: folder)
                try FileManager.default.removeItem(atPath: folder + "/mine")
            }
            try expectSuccess(command + ["set"], in: folder)
            try expectSuccess(["prepare", "set/train"], in: folder)
            try FileManager.default.copyItem(atPath: folder + "/set/train/manifest.tandem", toPath: folder + "/m")
            try expectSuccess(["inspect", "m"], in: folder)
            let made = contents(folder + "/set")
            try expectSuccess(command + ["set"], in: folder)
            #expect(contents(folder + "/set") == made)
            try expectRefusal("set: holds the scenes of seed 0", command + ["set", "--seed", "1"], in: folder)
            try expectRefusal("set: holds the scenes of seed 0", command + ["set", "--short-side", "128"], in: folder)
            // In the way of a scene that is still to come, by the names that the data sets give.
            for name in ["vip/Images/videos1/000000000001.jpg", "davis/Annotations/480p/sequence-00000/a.png"] {
                try put("a user's", "\(folder)/set/\(name)")
                let place = name.split(separator: "/").dropLast().joined(separator: "/")
                try expectRefusal(
                    "set/\(place) is there and was not made by this synthesis", ["synthesize", "--videos", "1", "--sequences", "1", "set"],
                    in: folder)
                try FileManager.default.removeItem(atPath: "\(folder)/set/\(place)")
            }
            // Of an older version.
            try FileManager.default.removeItem(atPath: folder + "/set/.tandem-made")
            try expectSuccess(command + ["set"], in: folder)
        }
    }

    // MARK: Runs

    @Test(.timeLimit(.minutes(30))) func runsReplaceNoOthers() throws {
        let data = try TinyDataSet()
        let folder = try data.makeFolder("work")
        let command = ["run", data.folder + "/tiny.json5"]
        for name in ["log.txt", "scores.jsonl", "scores.csv", "pipeline.json5", "checkpoints/step-00000003.safetensors", "figures/a.png"] {
            try put("a user's", "\(folder)/runs/tiny/\(name)")
            let place = name.split(separator: "/")[0]
            try expectRefusal(
                "runs/tiny/\(place) is there and was not made by this run; choose another name, --set name=NAME", command, in: folder)
            try FileManager.default.removeItem(atPath: folder + "/runs")
        }
        let trainer = ["--pipeline", data.folder + "/tiny.json5", "--batcher", "ipc://nobody", "--folder", "mine"]
        try put("a user's\n", folder + "/mine/log.txt")
        let (status, output) = try Programs.run("tandem-trainer", trainer, in: folder, seconds: 60)
        #expect(status == 1 && output.contains("mine/log.txt is there and was not made by this run"), "\(output)")
        #expect(FileManager.default.contents(atPath: folder + "/mine/log.txt") == Data("a user's\n".utf8))

        // A log of samples that is somebody's, or of another run.
        try put("a user's\n", folder + "/samples.log")
        let logged = command + ["--sample-log", "samples.log"]
        let (failed, why) = try tandem(logged, in: folder)
        #expect(
            failed == 1 && why.contains("samples.log cannot be the run's --sample-log: it is there and was not made by this run"), "\(why)")
        #expect(FileManager.default.contents(atPath: folder + "/samples.log") == Data("a user's\n".utf8))
        try FileManager.default.removeItem(atPath: folder + "/samples.log")
        try expectSuccess(logged, in: folder)
        let log = FileManager.default.contents(atPath: folder + "/samples.log")
        let (again, other) = try tandem(logged + ["--set", "name=other"], in: folder)
        #expect(
            again == 1 && other.contains("samples.log cannot be the run's --sample-log: it is there and was not made by this run"),
            "\(other)")
        #expect(FileManager.default.contents(atPath: folder + "/samples.log") == log)
        // A run of an older version, which kept no list, continues.
        try FileManager.default.removeItem(atPath: folder + "/runs/tiny/.tandem-made")
        try put("", folder + "/runs/tiny/.lock")
        try expectSuccess(command + ["--set", "train.steps=8"], in: folder)
    }

    @Test(.timeLimit(.minutes(30))) func aRunInUseIsLeftAlone() throws {
        let data = try TinyDataSet()
        let folder = try data.makeFolder("work")
        let running = try data.start(in: folder, settings: ["train.steps=100000"])
        while !running.output.contains("step 1/"), running.process.isRunning { usleep(10_000) }
        let pipeline = FileManager.default.contents(atPath: folder + "/runs/tiny/pipeline.json5")
        let (status, output) = try tandem(["run", data.folder + "/tiny.json5", "--set", "train.steps=7"], in: folder)
        #expect(status == 1 && output.contains("the run runs/tiny is in use by another trainer"), "\(output)")
        #expect(FileManager.default.contents(atPath: folder + "/runs/tiny/pipeline.json5") == pipeline)
        running.signal(SIGTERM)
        #expect(Programs.finish(running).status == 0)
    }

    @Test func aSocketReplacesNoFile() throws {
        let data = try TinyDataSet()
        for name in ["thesis", "thesis.lock", "thesis.batches"] {
            let path = data.folder + "/" + name
            try put("a user's", path)
            let (status, output) = try Programs.run(
                "tandem-batcher", ["--pipeline", data.folder + "/tiny.json5", "--bind", "ipc://thesis"], in: data.folder, seconds: 20)
            #expect(status == 1 && output.contains("\(name) is there, and is not a socket of Tandem's"), "\(output)")
            #expect(FileManager.default.contents(atPath: path) == Data("a user's".utf8), "\(name)")
            try FileManager.default.removeItem(atPath: path)
        }
    }

    // MARK: Preparations

    /// A preparation that is killed goes on, whatever it was about to do.
    @Test(.timeLimit(.minutes(30))) func aKilledPreparationGoesOn() throws {
        let data = try TinyDataSet()
        let command = ["prepare", "--transcode", "small", "--jobs", "1", "train"]
        let running = try Programs.start("tandem", command, in: data.folder)
        while contents(data.folder + "/small").keys.allSatisfy({ !$0.hasSuffix(".mp4") }), running.process.isRunning { usleep(1000) }
        running.signal(SIGKILL)
        _ = Programs.finish(running)
        try expectSuccess(command, in: data.folder)
        let (status, output) = try tandem(command, in: data.folder)
        #expect(status == 0 && output.contains("3 files were unchanged and not read again"), "\(output)")
        #expect(contents(data.folder + "/small").keys.allSatisfy { !$0.hasSuffix(".partial") })
    }

    @Test func aReadOnlyFolderHasAWayOut() throws {
        let data = try TinyDataSet()
        for name in [".tandem-made", ".prepare-journal.jsonl", "manifest.tandem", "rejects.jsonl"] {
            try FileManager.default.removeItem(atPath: data.folder + "/train/" + name)
        }
        let script = """
            mkdir videos && mount --bind train videos && mount -o remount,bind,ro videos || exit 77
            ! "$1" prepare videos && "$1" prepare --output prepared videos
            """
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["unshare", "-m", "sh", "-c", script, "sh", Programs.folder + "/tandem"]
        process.currentDirectoryURL = URL(fileURLWithPath: data.folder)
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let status = process.terminationStatus
        // Those who may not mount have no such folder to try.
        guard status != 77, !output.contains("unshare: ") else { return }
        #expect(status == 0, "\(output)")
        #expect(output.contains("Read-only file system; choose another folder for the manifest with --output FOLDER"), "\(output)")
        #expect(output.contains("--set data.manifest=FOLDER/manifest.tandem"), "\(output)")
        #expect(output.contains("--set data.manifest=prepared/manifest.tandem"), "\(output)")
    }
}
