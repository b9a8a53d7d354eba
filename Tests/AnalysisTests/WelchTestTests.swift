import Analysis
import Testing

@Suite("Welch's test") struct WelchTestTests {
    /// SciPy 1.17.1: `ttest_ind(first, second, equal_var=False)`.
    @Test(arguments: [
        ([34.6, 33.9, 35.2], [30.1, 31.0, 32.4], 4.430596876183311, 3.1466690564473754, 0.019316854308260235),
        ([1, 2, 3, 4, 5], [2, 3, 4, 5, 6.5], -1.0440737953277486, 7.9221990033756615, 0.32726038574240457),
        ([10.9, 10.3], [17.5, 20.0, 19.9], -9.802746637663791, 2.485147853591684, 0.0047696057405418124),
        ([37.4, 37.4, 37.5], [12.0, 13, 11.5, 12.2, 12.9], 88.50676170348281, 4.111123908874326, 6.701551482923029e-08),
    ]) func agreesWithSciPy(first: [Double], second: [Double], t: Double, degreesOfFreedom: Double, p: Double) throws {
        let test = try #require(WelchTest(first, second))
        for (found, expected) in [(test.t, t), (test.degreesOfFreedom, degreesOfFreedom), (test.p, p)] {
            #expect(abs(found - expected) <= 1e-9 * abs(expected))
        }
    }

    @Test func hasNoAnswerWhereNothingVaries() {
        #expect(WelchTest([1, 1], [2, 2]) == nil && WelchTest([1], [1, 2]) == nil)
    }
}
