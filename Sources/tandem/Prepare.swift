import Base
import Configuration
import Console
import Foundation
import Media
import Sampling

/// `tandem prepare`: from a folder of videos to a manifest.
func prepare(arguments: [String]) throws {
    var options = Arguments(
        "tandem prepare",
        about: """
            Decodes every video and every still (JPEG, PNG, WebP) of a folder once, those in tar archives too, where they lie, and writes which frames they have \
            (\(Preparation.manifestName)) and which files cannot be used (\(Preparation.rejectsName)). With --transcode it writes the videos \
            anew on the way, small and quick to seek in: H.264 in MP4 under the old names but for the ending, with the frames and times of the \
            originals, at least \(Int(Transcoding.leastQuality)) dB from the scaled original. Can be interrupted and run again; what is done \
            is not done twice.
            """,
        arguments: arguments)
    let jobs = options.value("--jobs", "N", "files decoded at a time", default: ProcessInfo.processInfo.activeProcessorCount)
    let output = options.value("--output", "FOLDER", "where manifest and rejects go (default: the folder of videos)")
    let extensions = options.value("--extensions", "LIST", "further endings of files to take for videos, such as gif,m2v")
    let listed = options.value(
        "--list", "FILE",
        "take the spans that this list names and nothing else: CSV with a line of names, or JSON lines; path, then start and end in seconds, or "
            + "start_frame and end_frame, and a label")
    let archives = options.value(
        "--archives", "NAMES",
        "with a server: its tar archives to take, commas between, {0000..0127} for numbers; videos in them are read by ranges")
    let leavesStills = options.flag("--no-stills", "leave pictures out, which else are listed as videos of one frame")
    let transcoded = options.value("--transcode", "OUTPUT", "write the videos anew into this folder, the manifest beside them")
    let transcoding = Transcoding(from: &options, isAsked: transcoded != nil)
    let folder = options.operand("FOLDER", "the videos and stills, in it or in folders below it")
    let isServer = MediaRoot(folder).isServer
    if isServer, archives == nil {
        options.refuse(
            "\(folder) is a server; prepare the folder that it serves, on its machine, and give runs its URL as data.media, or name tar archives"
                + " with --archives")
    }
    if isServer, output == nil, transcoded == nil { options.refuse("say where the manifest of what \(folder) has goes: --output FOLDER") }
    if !isServer, archives != nil { options.refuse("--archives is for servers; the archives of a folder are found") }
    if jobs < 1 { options.refuse("--jobs wants at least 1, not \(jobs)") }
    if extensions != nil, transcoding.pictureRate != nil {
        options.refuse("--extensions is for videos; frames are read from JPEG and PNG files")
    }
    if output != nil, transcoded != nil { options.refuse("--output does not go with --transcode, which says where all goes") }
    options.finish()

    Interruption.catchSignals()
    let target = transcoded ?? output ?? folder
    let list = try listed.map { try SpanList(path: $0) }
    if let list, !list.ignored.isEmpty { warn("of \(listed!) these names mean nothing: \(list.ignored.joined(separator: ", "))") }
    let server = MediaServer(
        timeout: Pipeline().dataflow.timeout, isStopped: { Interruption.isRequested }, log: { writeError("tandem: \($0)\n") })
    let preparation = Preparation(
        folder: folder, remote: archives.map { RemoteArchives(expandBraces($0), server: server) }, output: target,
        extensions: Set(extensions?.split(separator: ",").map(ending) ?? []),
        takesStills: !leavesStills, list: list, transcoding: transcoded == nil ? nil : transcoding, jobs: jobs)
    let summary = try showingProgress { show in try preparation.run(shouldStop: { Interruption.isRequested }, progress: show) }
    print(describe(summary, output: target))
    if let note = summary.passedOver.note { print("\(folder): \(note).") }
    if output != nil { print("A run takes it with --set data.media=\(folder) --set data.manifest=\(target)/\(Preparation.manifestName)") }
}

/// Names with commas between, `a-{08..11}.tar` for four of them, as shells and WebDataset write them.
private func expandBraces(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.flatMap { name -> [String] in
        guard let match = name.firstMatch(of: /\{(\d+)\.\.(\d+)\}/), let first = Int(match.1), let last = Int(match.2),
            (0..<1_000_000).contains(last - first)
        else {
            return [name]
        }
        return (first...last).flatMap { number in
            let digits = "\(number)"
            let padded = String(repeating: "0", count: max(0, match.1.count - digits.count)) + digits
            return expandBraces(name.replacingCharacters(in: match.range, with: padded))
        }
    }
}

/// An ending as a user may write it: "gif", ".GIF".
private func ending(_ word: Substring) -> String {
    let bare = word.trimmingCharacters(in: .whitespaces).lowercased()
    return bare.hasPrefix(".") ? String(bare.dropFirst()) : bare
}

extension Transcoding {
    /// - Parameter isAsked: whether the options that follow mean anything.
    fileprivate init(from options: inout Arguments, isAsked: Bool) {
        let side = options.value("--short-side", "N", "with --transcode: pixels of the shorter side; smaller videos stay", default: 256)
        let isFast = options.flag("--fast-access", "with --transcode: a key frame every 8 frames and no B-frames, bigger and faster")
        let group = options.value("--gop", "N", "with --transcode: frames between key frames at most (default 16)")
        let fromFrames = options.flag("--from-frames", "with --transcode: the sources are folders of JPEG or PNG files, one a video")
        let rate = options.value("--rate", "R", "with --from-frames: frames a second, 25 or 30000/1001 (default 30)")
        let groupOfPictures = group.flatMap { Int($0) } ?? (isFast ? 8 : 16)
        let pictureRate = Rational(rate: rate ?? "30")
        self.init(
            shortSide: side, groupOfPictures: groupOfPictures, bFrames: isFast ? 0 : 2, pictureRate: fromFrames ? pictureRate : nil)

        if side < 16 || side % 2 != 0 || side > 4096 { options.refuse("--short-side wants an even number from 16 to 4096, not \(side)") }
        if group != nil, Int(group!) == nil || groupOfPictures < 1 || groupOfPictures > 1000 {
            options.refuse("--gop wants a whole number from 1 to 1000, not '\(group!)'")
        }
        if pictureRate == nil { options.refuse("--rate wants frames a second, 25 or 30000/1001, not '\(rate!)'") }
        if rate != nil, !fromFrames { options.refuse("--rate is for --from-frames; videos have their own times") }
        if !isAsked, fromFrames || isFast || group != nil || side != 256 {
            options.refuse("--short-side, --gop, --fast-access and --from-frames say how to write videos: give --transcode FOLDER")
        }
    }
}

extension Rational {
    /// "25", "29.97" or "30000/1001"; nil where it is not such a number, of at most 1000.
    fileprivate init?(rate: String) {
        let parts = rate.split(separator: "/", omittingEmptySubsequences: false).map { Double($0) }
        guard let first = parts[0], let second = parts.count == 1 ? 1 : parts[1], parts.count <= 2 else { return nil }
        // Thousandths hold all that is written in decimals.
        let (numerator, denominator) = (first * 1000, second * 1000)
        guard (0.001...1000).contains(first / second), numerator < 1e9, denominator >= 1, numerator >= 1 else { return nil }
        self.init(Int(numerator.rounded()), Int(denominator.rounded()))
    }
}

/// Runs the body with a function that shows how far it is; the last line stays, however the body ends.
private func showingProgress<Result>(_ body: ((Preparation.Progress) -> Void) throws -> Result) rethrows -> Result {
    let begin = monotonicSeconds()
    var line = ProgressLine()
    var last: Preparation.Progress?
    func bar(_ progress: Preparation.Progress) -> String {
        progressBar(
            done: progress.done, of: progress.total, unit: "videos", elapsed: monotonicSeconds() - begin, doneAtStart: progress.unchanged)
    }
    defer { if let last { line.finish(bar(last)) } }
    return try body { progress in
        line.show(bar(progress))
        last = progress
    }
}

private func describe(_ summary: Preparation.Summary, output: String) -> String {
    let counts = summary.counts
    let hours = String(format: "%.2f", counts.hours)
    let rejects = counts.rejects.values.reduce(0, +)
    let whole = counts.spans == counts.videos
    let videos = "\(whole ? "" : "\(counts.spans) spans of ")\(counts.videos) videos with \(counts.frames) frames, \(hours) hours,"
    let stills = "\(counts.stills) stills"
    let listed = counts.stills == 0 ? videos : counts.videos == 0 ? stills : "\(videos) and \(stills)"
    var lines = ["\(listed) in \(output)/\(Preparation.manifestName) (identity \(summary.manifest.identity))."]
    if rejects > 0 { lines.append("\(rejects) rejected: \(counts.rejectsByReason); see \(output)/\(Preparation.rejectsName).") }
    if counts.damagedVideos > 0 {
        lines.append("Videos with damaged frames: \(counts.damagedVideos); frames that samples avoid: \(counts.damagedFrames).")
    }
    if counts.unchanged > 0 { lines.append("\(counts.unchanged) files were unchanged and not read again.") }
    if let transcoded = counts.transcoded {
        let (before, after) = (transcoded.bytesBefore, transcoded.bytesAfter)
        let share = String(format: "%.2f", Double(after) / Double(max(1, before)))
        lines.append("\(formatBytes(before)) became \(formatBytes(after)), \(share) of the size.")
        let (mean, least) = (transcoded.meanQuality, transcoded.leastQuality)
        lines.append(String(format: "PSNR against the scaled originals: mean %.1f dB, least %.1f dB.", mean, least))
        let cost = transcoded.framesPerPair
        lines.append(String(format: "A pair costs %.1f decoded frames, %.1f before.", cost.after, cost.before))
    }
    return lines.joined(separator: "\n")
}
