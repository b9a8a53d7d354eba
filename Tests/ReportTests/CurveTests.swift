import Report
import Testing

@Suite struct CurveTests {
    @Test func thinningKeepsExtremesEndsAndGaps() {
        var values = (0..<100_000).map { Double($0 % 7) }
        (values[31_337], values[77_777], values[50_000]) = (1e6, -1e6, .nan)
        let curve = Curve(values.enumerated().map { (step: $0.offset + 1, value: $0.element) })
        let thin = curve.thinned(to: 1000)
        #expect(thin.steps.count <= 3000 && thin.steps == thin.steps.sorted())
        #expect(thin.steps.first == 1 && thin.steps.last == 100_000)
        #expect(thin.values.filter(\.isFinite).max() == 1e6 && thin.values.filter(\.isFinite).min() == -1e6)
        #expect(thin.values.count { !$0.isFinite } == 1)
        // Every stretch keeps its own extremes.
        for start in stride(from: 0, to: 100_000, by: 1000) {
            let whole = values[start..<start + 1000].filter(\.isFinite)
            let kept = zip(thin.steps, thin.values).filter { (start + 1...start + 1000).contains($0.0) && $0.1.isFinite }.map(\.1)
            #expect(kept.max() == whole.max() && kept.min() == whole.min())
        }
        for (step, value) in zip(thin.steps, thin.values) where value.isFinite { #expect(values[step - 1] == value) }
    }

    @Test func shortCurvesStayWhole() {
        let curve = Curve((1...500).map { (step: $0 * 100, value: Double($0)) })
        #expect(curve.thinned(to: 1000) == curve)
        #expect(Curve().thinned(to: 1000) == Curve())
    }

    @Test func aStepThatComesAgainTakesThePlaceOfWhatFollowedIt() {
        let curve = Curve([1, 2, 3, 4, 3, 5].enumerated().map { (step: $0.element, value: Double($0.offset)) })
        #expect(curve.steps == [1, 2, 3, 5] && curve.values == [0, 1, 4, 5])
    }
}
