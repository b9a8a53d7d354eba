import Analysis
import Pictures
import Synthesis
import Testing

@Suite("Matches") struct MatchTableTests {
    /// 2 x 2 patches in frames of 8 x 6 pixels. The upper left one was at the upper right, 4 pixels away, and the lower right one 1 pixel
    /// to the left of where it is; the lower left one stays and was hidden meanwhile; the upper right one is not seen in the first frame.
    private var truth: PatchTruth {
        var displacements = [Float](repeating: 0, count: 8 * 6 * 2)
        var regions = [UInt8](repeating: Correspondence.Region.background.rawValue, count: 8 * 6)
        for pixel in 0..<8 * 6 {
            let (x, y) = (pixel % 8, pixel / 8)
            switch (x < 4, y < 3) {
            case (true, true): (displacements[2 * pixel], regions[pixel]) = (4, Correspondence.Region.object.rawValue)
            case (false, true): (displacements[2 * pixel], regions[pixel]) = (Correspondence.unknown, Correspondence.Region.unseen.rawValue)
            case (true, false): regions[pixel] = Correspondence.Region.afterOcclusion.rawValue
            case (false, false): displacements[2 * pixel] = -1
            }
        }
        return PatchTruth(
            Correspondence(displacements: displacements, regions: regions), width: 8, height: 6, PatchGrid(rows: 2, columns: 2))
    }

    @Test func matchesAreCountedByWhatTheyShow() throws {
        var table = MatchTable()
        let (same, last) = (MatchSource(.samePlace), MatchSource(.encoder, layer: 4))
        table.add([0, 1, 2, 3], same, gap: 2, truth)
        table.add([1, 1, 2, 0], last, gap: 2, truth)
        table.add([2, 1, 2, 3], last, gap: 8, truth)

        #expect(table[same, .all]?.patches == 3 && table[same, .moved]?.patches == 1)
        #expect(table[same, .moved]?.hit == 0 && table[same, .objects]?.hit == 0 && table[same, .background]?.hit == 1)
        #expect(table[same, .all]?.hit == 2.0 / 3 && table[same, .all]?.nearby == 1)
        // The upper left one is looked for 4 pixels from its true place, the lower right one 1 pixel.
        #expect(table[same, .moved]?.meanDistance == 4 && table[same, .background]?.meanDistance == 1)
        #expect(table[same, .afterOcclusion]?.meanDistance == 0)

        #expect(table[last, .moved, 2]?.hit == 1 && table[last, .moved, 8]?.hit == 0 && table[last, .moved]?.hit == 0.5)
        // From the middle (2, 1.5) of the upper left patch to (5, 4.5), and from (2, 4.5) to (6, 1.5).
        #expect(abs((table[last, .background, 2]?.meanDistance ?? 0) - 18.0.squareRoot()) < 1e-12)
        #expect(table[last, .objects, 8]?.meanDistance == 5)
        #expect(table[last, .all, 4] == nil)

        let lines = table.records(step: 7).map(\.json)
        #expect(lines.count == 5 * 2 + 5 * 3)
        #expect(
            lines.contains(
                #"{"step": 7, "source": "encoder", "layer": 4, "region": "moved", "gap": 2, "patches": 1, "hit": 1.0, "near": 1.0, "distance": 0.0}"#
            ))
    }
}
