import Testing
import Training

struct LearningRateScheduleTests {
    /// facebookresearch/mae's `adjust_learning_rate` for lr 0.0012, 40 of 400 epochs of warm-up and 100 steps an epoch.
    @Test(arguments: [
        (0, 0.0), (1, 3e-7), (2000, 6e-4), (3999, 1.1997e-3), (4000, 1.2e-3), (13000, 1.0242640687119283e-3), (22000, 6e-4),
        (31000, 1.757359312880715e-4), (39999, 2.28463062e-12),
    ])
    func ratesAreMAEs(_ step: Int, _ rate: Double) {
        let schedule = LearningRateSchedule(baseRate: 1.5e-4, batchSize: 2048, warmUpSamples: 4000 * 2048, totalSamples: 40000 * 2048)
        #expect(abs(schedule.rate(atSample: step * 2048) - rate) <= 1e-9 * max(rate, 1e-6))
    }

    @Test func endsAtZero() {
        let schedule = LearningRateSchedule(peak: 1, warmUpSamples: 0, totalSamples: 10)
        #expect(schedule.rate(atSample: 0) == 1)
        #expect(schedule.rate(atSample: 10) == 0)
        #expect(LearningRateSchedule(peak: 1, warmUpSamples: 5, totalSamples: 5).rate(atSample: 5) == 0)
    }
}
