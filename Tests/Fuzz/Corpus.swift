import Console
import Foundation
import Media
import Pictures
import Sampling

/// The good files that are damaged, ascending by name.
struct Corpus {
    struct Seed {
        var name: String
        var bytes: [UInt8]
        /// What it is counted under: the name's ending, or its beginning where that tells more.
        var kind: String
        /// What a manifest says of the whole file, nil for what is neither a video nor a still.
        var record: VideoRecord?
    }

    let seeds: [Seed]
    /// What seeds are counted under, ascending.
    let kinds: [String]
    private let seedsByKind: [String: [Seed]]

    /// The file that a case damages: kinds take turns, and so do the seeds of a kind.
    func seed(ofCase number: Int) -> Seed {
        let seeds = seedsByKind[kinds[number % kinds.count]]!
        return seeds[number / kinds.count % seeds.count]
    }

    /// Bytes of the biggest seed: small files are damaged in more of what they say, and read faster.
    private static let maximumBytes = 150 << 10

    /// Containers and codecs that the program `ffmpeg` writes: name, size, and its options.
    private static let clips: [(name: String, size: String, options: String)] = [
        ("mp4-h264.mp4", "96x64", "-c:v libx264 -bf 2"), ("mp4-hevc.mp4", "96x64", "-c:v libx265 -x265-params log-level=none"),
        ("mp4-av1.mp4", "96x64", "-c:v libaom-av1 -cpu-used 8 -g 8"), ("mov-h264.mov", "96x64", "-c:v libx264 -pix_fmt yuv444p"),
        ("mov-prores.mov", "96x64", "-c:v prores"), ("fragmented-h264.mp4", "96x64", "-c:v libx264 -movflags frag_keyframe+empty_moov"),
        ("mkv-h264.mkv", "96x64", "-c:v libx264 -bf 2"), ("mkv-ffv1.mkv", "64x48", "-c:v ffv1"), ("webm-vp8.webm", "96x64", "-c:v libvpx"),
        ("webm-vp9.webm", "96x64", "-c:v libvpx-vp9 -cpu-used 8"), ("avi-mpeg4.avi", "96x64", "-c:v mpeg4 -bf 0"),
        ("avi-mjpeg.avi", "96x64", "-c:v mjpeg"), ("flv-h264.flv", "96x64", "-c:v libx264"), ("flv-h263.flv", "96x64", "-c:v flv1"),
        ("3gp-h263.3gp", "128x96", "-c:v h263"), ("3gp-mpeg4.3gp", "96x64", "-c:v mpeg4"), ("ts-h264.ts", "96x64", "-c:v libx264 -bf 2"),
        ("ts-mpeg2.ts", "96x64", "-c:v mpeg2video -bf 2"), ("mpg-mpeg1.mpg", "96x64", "-c:v mpeg1video -r 25"),
        ("wmv-wmv2.wmv", "96x64", "-c:v wmv2"),
    ]

    /// Writes the seeds into a folder and reads them.
    static func make(in folder: String, videos: String) throws -> Corpus {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try writeClip(to: folder + "/mp4-own.mp4")
        if (try? ffmpeg(["-version"])) == true {
            for clip in clips {
                let arguments = ["-v", "quiet", "-f", "lavfi", "-i", "testsrc2=size=\(clip.size):rate=15", "-frames:v", "16", "-g", "6"]
                let whole = try ffmpeg(arguments + clip.options.split(separator: " ").map(String.init) + [folder + "/" + clip.name])
                if !whole { writeError("fuzz: this ffmpeg cannot write \(clip.name)\n") }
            }
        } else {
            writeError("fuzz: there is no ffmpeg to write clips with: containers other than MP4 come from --videos only\n")
        }
        if !videos.isEmpty { try copyVideos(from: videos, to: folder) }
        try writePictures(to: folder)
        try Data(pipeline.utf8).write(to: URL(fileURLWithPath: folder + "/pipeline.json5"))
        for kind in MessageKind.allCases {
            try Data(kind.messages.joined()).write(to: URL(fileURLWithPath: folder + "/messages.\(kind)"))
        }
        var manifest = try ManifestWriter(path: folder + "/manifest.manifest")
        for seed in try Corpus(folder: folder).seeds { try seed.record.map { try manifest.append($0) } }
        _ = try manifest.finish()
        return try Corpus(folder: folder)
    }

    init(folder: String) throws {
        seeds = try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            let ending = (name as NSString).pathExtension
            return Seed(
                name: name, bytes: [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))),
                kind: name.hasPrefix("fragmented") ? "fragmented mp4" : ending,
                record: videoExtensions.union(stillExtensions).contains(ending) ? try? VideoRecord(inspectingFile: name, in: folder) : nil)
        }
        seedsByKind = Dictionary(grouping: seeds, by: \.kind)
        kinds = seedsByKind.keys.sorted()
    }

    private static func ffmpeg(_ arguments: [String]) throws -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["ffmpeg", "-threads", "1"] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    private static func copyVideos(from source: String, to folder: String) throws {
        for case let path as String in FileManager.default.enumerator(atPath: source) ?? .init() {
            guard videoExtensions.contains((path as NSString).pathExtension),
                let data = FileManager.default.contents(atPath: source + "/" + path), (1...maximumBytes).contains(data.count)
            else { continue }
            let isFragmented = path.contains("fragmented")
            let name = (isFragmented ? "fragmented-" : "given-") + path.replacingOccurrences(of: "/", with: "-")
            try data.write(to: URL(fileURLWithPath: folder + "/" + name))
        }
    }

    private static func writeClip(to path: String) throws {
        var writer = try VideoWriter(
            path: path, width: 96, height: 64, framesPerSecond: Rational(15, 1), options: .init(groupOfPictures: 6))
        for frame in 0..<16 { try picture(width: 96, height: 64, frame: frame).pixels.withUnsafeBytes { try writer.write(rgb: $0) } }
        try writer.finish()
    }

    private static func writePictures(to folder: String) throws {
        let colours = picture(width: 60, height: 40, frame: 0)
        try writeJPEG(colours, to: folder + "/picture.jpg")
        try writePNG(colours, to: folder + "/picture.png")
        _ = try ffmpeg(["-v", "quiet", "-i", folder + "/picture.png", folder + "/picture.webp"])
        let labels = colours.pixels.prefix(60 * 40).map { $0 % 5 }
        try writePNG(IndexImage(width: 60, height: 40, indices: labels), to: folder + "/labels.png")
    }

    private static func picture(width: Int, height: Int, frame: Int) -> RGBImage {
        RGBImage(
            width: width, height: height,
            pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / width * 3 + frame * 11) })
    }

    private static let pipeline = """
        // A pipeline that sets something of every kind.
        {
          name: "fuzz", seed: 7,
          data: { media: 'videos', manifest: "videos/manifest" },
          sampling: { frameGap: [4, 48], cropArea: [.5, 1.0], flip: 0.5, repeatedSampling: 2, imageSize: 64 },
          mask: { ratio: 0.75, pattern: "grid" }, /* a comment */
          model: { size: { patch: 8, width: 24, depth: 1, heads: 2 }, decoder: "cross-self", normalizedPixelLoss: true },
          train: { steps: 10, batch: 8, microBatch: 4, baseLearningRate: 1.5e-4, betas: [0.9, 0.95] },
          evaluation: { size: [64], davis: "a\\u0041\\n" },
        }
        """
}
