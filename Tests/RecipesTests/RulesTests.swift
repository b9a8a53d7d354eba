import Foundation
import Models
import Recipes
import Sampling
import TestSupport
import Testing
import Training

/// rules.json of the golden recipes, line by line: known answers without randomness. What it says of first values stands in ClipRecipeTests, of
/// pixels and targets in TokensAndPixelsTests.
@Suite(.enabled(if: Shared.folder != nil, "TANDEM_SHARED is not there: the golden recipes' rules are not compared"))
struct RulesTests {
    private let rules: [String: Any]

    init() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Shared.folder! + "/golden/recipes/rules.json"))
        rules = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func rows(_ section: String) throws -> [[String: Any]] { try #require(rules[section] as? [[String: Any]]) }

    /// A rule's list of numbers, or the permutation that it describes in words.
    private func numbers(_ value: Any?, of count: Int) throws -> [Int] {
        if let list = value as? [Int] { return list }
        let factor = try #require((value as? String)?.dropFirst(3).prefix { $0 != ")" })
        return (0..<count).map { $0 * Int(factor)! % count }
    }

    @Test func visibleTokens() throws {
        for row in try rows("visible tokens") {
            let (tokens, ratio) = (try #require(row["tokens"] as? Int), try #require(row["ratio"] as? Double))
            #expect(MaskPattern.random.visibleCount(of: tokens, ratio: ratio) == row["kept lowest"] as? Int, "\(tokens) at \(ratio)")
            #expect(TubeMask.visibleCount(of: tokens, ratio: ratio) == row["tube"] as? Int, "\(tokens) at \(ratio)")
        }
    }

    @Test func theLowestNoiseStays() throws {
        for row in try rows("keep lowest") {
            let keep = try #require(row["keep"] as? [Int])
            let noise = try numbers(row["noise"], of: row["tokens"] as! Int)
            let mask = MaskPattern.keepingLowest(keep.count, of: noise.map { UInt32($0) })
            #expect(mask.indices.filter { mask[$0] == 0 } == keep.sorted())
        }
    }

    @Test func tubeMasks() throws {
        for row in try rows("tube mask (1 = hidden)") {
            let (steps, ratio) = (row["steps"] as! Int, row["ratio"] as! Double)
            let order = try numbers(row["order"], of: 196)
            let visible = order.prefix(TubeMask.visibleCount(of: order.count, ratio: ratio))
            let step = order.indices.map { visible.contains($0) ? UInt8(0) : 1 }
            let mask = TubeMask.mask(step, steps: steps)
            #expect(mask.indices.filter { mask[$0] == 0 } == row["visible"] as? [Int])
        }
    }

    @Test func runningCellMasks() throws {
        for row in try rows("running cell mask (1 = not decoded)") {
            let (rows, columns, steps) = (row["rows"] as! Int, row["columns"] as! Int, row["steps"] as! Int)
            let mask = RunningCellMask.mask(
                start: row["start"] as! Int, steps: steps, rows: rows, columns: columns, ratio: row["ratio"] as! Double)
            if let expected = row["mask"] as? [String] { #expect(mask.map(String.init).joined() == expected.joined()) }
            if let hash = row["sha256 of the 1568 bytes 0 or 1"] as? String { #expect(try sha256(mask) == hash) }
        }
    }

    /// By coreutils.
    private func sha256(_ bytes: [UInt8]) throws -> String {
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(bytes))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return String(text.prefix(64))
    }

    @Test func predictedFrames() throws {
        for row in try rows("predicted frames") {
            var settings = MAEST.Settings()
            (settings.sampling.frames, settings.model.predictedFrames) = (row["frames"] as! Int, row["predicted"] as! Int)
            #expect(settings.predictedFrames == row["indices"] as? [Int])
        }
    }

    /// Tokens, and those of them that are visible, hidden, decoded.
    @Test func counts() throws {
        let all = try #require(rules["counts"] as? [String: [String: Any]])
        var (h14, g14) = (MAE.Settings(), VideoMAEV2.Settings())
        (h14.model.size, g14.model.size) = (.preset("h14"), .preset("g14"))
        let settings: [String: any RecipeSettings] = [
            "mae 224/16": MAE.Settings(), "mae 224/14": h14, "mae-st 16x224/2x16": MAEST.Settings(),
            "videomae 16x224/2x16": VideoMAE.Settings(), "videomae-v2 16x224/2x16": VideoMAEV2.Settings(), "videomae-v2 16x224/2x14": g14,
        ]
        #expect(Set(settings.keys) == Set(all.keys))
        for (name, counts) in all {
            let own = try #require(settings[name])
            let mask = try #require(own.sampler.arrays.first { $0.name == "mask" })
            #expect(mask.shape == [counts["tokens"] as! Int] && mask.zeros?.lowerBound == counts["visible"] as? Int, "\(name)")
            if let hidden = counts["hidden"] as? Int { #expect(mask.shape[0] - mask.zeros!.lowerBound == hidden, "\(name)") }
            let decoded = own.sampler.arrays.first { $0.name == "decoded" }
            #expect(decoded?.zeros?.lowerBound == counts["decoded"] as? Int, "\(name)")
        }
    }

    @Test func positionTables() throws {
        let tables = try #require(rules["tables"] as? [String: Any])
        func expect(_ found: some Collection<Float>, _ key: String) throws {
            let expected = try #require((tables[key] as? [[Double]])?.flatMap { $0 } ?? tables[key] as? [Double])
            #expect(TestNumbers.relativeError(Array(found), expected) < 1e-7, "\(key)")
        }
        try expect(PositionEmbedding(gridSize: 3, width: 8).values, "sincos_2d rows")
        let last = PositionEmbedding(gridSize: 14, width: 768).values.suffix(768)
        try expect(
            [0, 1, 191, 192, 383, 384, 767].map { last[last.startIndex + $0] },
            "sincos_2d(768, 14) row 196 (y = x = 13), columns 0, 1, 191, 192, 383, 384, 767")
        try expect(SinusoidTables.values(count: 5, width: 6), "sinusoid_1d rows")
        for width in [384, 192] {
            try expect(
                SinusoidTables.values(count: 1568, width: width).suffix(width).prefix(8),
                "sinusoid_1d(1568, \(width)) row 1567, columns 0 to 7")
        }
    }
}
