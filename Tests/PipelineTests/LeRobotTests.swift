import Foundation
import TestSupport
import Testing

/// Lists of LeRobot's episodes, by the layouts of its versions, and manifests of them.
@Suite struct LeRobotTests {
    private static let package = #filePath.replacingOccurrences(of: "Tests/PipelineTests/LeRobotTests.swift", with: "Sources/Python")

    /// Writes `meta` of version 3: rows of two cameras, the second of which keeps its last episode in another file.
    private static let meta = """
        import json, os, sys, pyarrow, pyarrow.parquet
        root = sys.argv[1]
        os.makedirs(root + "/meta/episodes/chunk-000")
        features = {"observation.images.top": {"dtype": "video"}, "observation.images.wrist": {"dtype": "video"}, "action": {"dtype": "float32"}}
        path = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
        json.dump({"codebase_version": "v3.0", "fps": 30, "video_path": path, "features": features}, open(root + "/meta/info.json", "w"))
        rows, place = [], {"top": 0.0, "wrist": 0.0}
        for episode, length in enumerate([12, 20, 9]):
            row = {"episode_index": episode, "tasks": [f"lift, {episode}", "put"][: episode + 1], "length": length, "stats/action/min": [0.0]}
            for camera in place:
                if camera == "wrist" and episode == 2: place[camera] = 0.0
                end = place[camera] + length / 30
                key = "videos/observation.images." + camera
                row.update({key + "/chunk_index": 0, key + "/file_index": int(camera == "wrist" and episode == 2)})
                row.update({key + "/from_timestamp": place[camera], key + "/to_timestamp": end})
                place[camera] = end
            rows.append(row)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), root + "/meta/episodes/chunk-000/file-000.parquet")
        """

    private func list(_ root: String, _ options: [String] = []) throws -> (status: Int32, lines: [String]) {
        let (status, output) = try Programs.run(
            path: Peers.python!, ["-m", "tandem.lerobot", root] + options, environment: ["PYTHONPATH": Self.package])
        return (status, output.split(separator: "\n").map(String.init))
    }

    private func place(_ video: String, _ path: String) throws {
        try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: video, toPath: path)
    }

    @Test(.enabled(if: Peers.python != nil, Comment(rawValue: Peers.absence))) func manyEpisodesOfAFileAreSpansOfIt() throws {
        let data = try TinyDataSet()
        let root = data.folder + "/robot"
        for file in ["top/chunk-000/file-000", "wrist/chunk-000/file-000", "wrist/chunk-000/file-001"] {
            try place(data.videos[0], "\(root)/videos/observation.images.\(file).mp4")
        }
        let (status, output) = try Programs.run(path: Peers.python!, ["-c", Self.meta, root])
        #expect(status == 0, "\(output)")
        let top = "videos/observation.images.top/chunk-000/file-000.mp4", wrist = "videos/observation.images.wrist/chunk-000/file-00"
        #expect(
            try list(root).lines == [
                "path,start_frame,end_frame,label", "\(top),0,12,\"lift, 0\"", "\(wrist)0.mp4,0,12,\"lift, 0\"",
                "\(top),12,32,\"lift, 1; put\"", "\(wrist)0.mp4,12,32,\"lift, 1; put\"", "\(top),32,41,\"lift, 2; put\"",
                "\(wrist)1.mp4,0,9,\"lift, 2; put\"",
            ])
        let chosen = try list(root, ["--cameras", "observation.images.top", "--output", root + "/list.csv"])
        #expect(chosen.lines == ["3 spans of 1 videos in \(root)/list.csv"])
        try data.expectSuccess("tandem", ["prepare", root, "--list", root + "/list.csv", "--output", root + "/prepared"])
        let (_, records) = try Programs.run("tandem", ["inspect", "--videos", root + "/prepared"], in: data.folder)
        let spans = try records.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])["span"] as? [Int]
        }
        #expect(spans == [[0, 12], [12, 32], [32, 41]])
        let wrong = try list(root, ["--cameras", "nose"])
        #expect(wrong.status == 1 && wrong.lines.last?.contains("its cameras are observation.images.top, observation") == true)
    }

    @Test(.enabled(if: Peers.python != nil, Comment(rawValue: Peers.absence))) func anEpisodeAFileIsTheWholeFile() throws {
        try withTemporaryFolder { root in
            try FileManager.default.createDirectory(atPath: root + "/meta", withIntermediateDirectories: true)
            let info = #"""
                {"codebase_version": "v2.1", "fps": 10, "chunks_size": 2, "features": {"cam": {"dtype": "video"}, "depth": {"dtype": "image"}},
                 "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"}
                """#
            try Data(info.utf8).write(to: URL(fileURLWithPath: root + "/meta/info.json"))
            let episodes = (0..<3).map { #"{"episode_index": \#($0), "tasks": ["push"], "length": \#(10 * $0 + 5)}"# }
            try Data(episodes.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: root + "/meta/episodes.jsonl"))
            #expect(
                try list(root).lines.dropFirst() == [
                    "videos/chunk-000/cam/episode_000000.mp4,0,5,push", "videos/chunk-000/cam/episode_000001.mp4,0,15,push",
                    "videos/chunk-001/cam/episode_000002.mp4,0,25,push",
                ])
            try Data(info.replacingOccurrences(of: "v2.1", with: "v1.6").utf8).write(to: URL(fileURLWithPath: root + "/meta/info.json"))
            #expect(try list(root).lines.last?.contains("is of version v1.6; versions 2 and 3 are read") == true)
        }
    }
}
