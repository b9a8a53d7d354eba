import Base
import Metrics
import TestSupport
import Testing

struct MetricTests {
    @Test func pagesAreReadAsTheyWereMeant() throws {
        let metrics: [Metric] = [
            .counter("tandem_test_samples_total", "Samples.", 12),
            .counter("tandem_test_wait_seconds_total", "Time with a \\ and\na second line.", 0.1),
            .counter("tandem_test_errors_total", "Errors.", by: "reason", ["cannot open": 3, "a \"quote\", a \\ and\na line": 1, "é}": 2]),
            .counter("tandem_test_nothing_total", "No samples yet.", by: "reason", [:]),
            .gauge("tandem_test_loss", "Loss.", Double.nan),
            .gauge("tandem_test_most", "Most.", -Double.infinity),
            .gauge("tandem_test_tiny", "Tiny.", 1.5e-9),
            .gauge("tandem_test_big", "Big.", 1 << 53),
            .summary("tandem_test_step_seconds", "Steps.", sum: 2.25, count: 9),
        ]
        let page = try ExpositionText(metrics.map(\.text).joined())
        #expect(page.families["tandem_test_samples_total"] == .init(type: "counter", help: "Samples."))
        #expect(page.families["tandem_test_wait_seconds_total"]?.help == "Time with a \\\\ and\\na second line.")
        #expect(page.families["tandem_test_nothing_total"] == .init(type: "counter", help: "No samples yet."))
        #expect(page.families["tandem_test_step_seconds"]?.type == "summary")
        #expect(page.samples[.init(name: "tandem_test_loss")]?.isNaN == true)
        let expected: [ExpositionText.Key: Double] = [
            .init(name: "tandem_test_samples_total"): 12,
            .init(name: "tandem_test_wait_seconds_total"): 0.1,
            .init(name: "tandem_test_errors_total", labels: ["reason": "cannot open"]): 3,
            .init(name: "tandem_test_errors_total", labels: ["reason": "a \"quote\", a \\ and\na line"]): 1,
            .init(name: "tandem_test_errors_total", labels: ["reason": "é}"]): 2,
            .init(name: "tandem_test_most"): -.infinity,
            .init(name: "tandem_test_tiny"): 1.5e-9,
            .init(name: "tandem_test_big"): 9_007_199_254_740_992,
            .init(name: "tandem_test_step_seconds_sum"): 2.25,
            .init(name: "tandem_test_step_seconds_count"): 9,
        ]
        #expect(page.samples.filter { $0.key.name != "tandem_test_loss" } == expected)
    }

    @Test(arguments: [
        "tandem_a 1\n", "# HELP tandem_a A.\n# TYPE tandem_a gauge\ntandem_b 1\n", "# HELP tandem_a A.\n# TYPE tandem_a gauge\ntandem_a 1",
        "# HELP tandem_a A.\n# TYPE tandem_a gauge\ntandem_a one\n", "# HELP tandem_a A.\n# TYPE tandem_a gauge\ntandem_a{b=\"c\\d\"} 1\n",
    ])
    func theReaderIsStrict(page: String) {
        #expect(throws: (any Error).self) { try ExpositionText(page) }
    }

    /// Two minutes without progress, in looks of a second.
    @Test func aProcessIsStuckAfterTwoMinutesWithoutProgress() {
        var watch = ProgressWatch(now: 100)
        watch.look(at: 1, now: 101)
        for second in 102..<221 { watch.look(at: 1, now: Double(second)) }
        #expect(watch.isHealthy && watch.verdict("at work") == "at work")
        watch.look(at: 1, now: 221)
        #expect(!watch.isHealthy && watch.verdict("at work") == "no progress for 2 min 00 s: at work")
        watch.look(at: 2, now: 222)
        #expect(watch.isHealthy && watch.stalled == 0)
    }

    @Test func timeForWhichTheProcessWasStoppedIsNotHeldAgainstIt() {
        var watch = ProgressWatch(now: 0)
        watch.look(at: 1, now: 1)
        watch.look(at: 1, now: 10_000)
        #expect(watch.isHealthy && watch.stalled == 2)
    }

    @Test(arguments: [
        ("9100", "127.0.0.1:9100"), ("0.0.0.0:9100", "0.0.0.0:9100"), ("trainer:80", "trainer:80"), ("[::1]:9100", "[::1]:9100"),
    ])
    func addresses(text: String, meaning: String) throws { #expect(try "\(StatusAddress(text))" == meaning) }

    @Test(arguments: ["", "host", "host:", ":9100", "host:65536", "host:-1", "tcp://host"])
    func noAddresses(text: String) { #expect(throws: Failure.self) { try StatusAddress(text) } }
}
