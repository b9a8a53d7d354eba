import Testing
import Training

struct LearningRateScheduleTests {
    /// facebookresearch/mae's `adjust_learning_rate` for lr 0.0012, 40 of 400 epochs of warm-up and 100 steps an epoch.
    @Test(arguments: [
        (0, 0.0), (1, 3e-7), (2000, 6e-4), (3999, 1.1997e-3), (4000, 1.2e-3), (13000, 1.0242640687119283e-3), (22000, 6e-4),
        (31000, 1.757359312880715e-4), (39999, 2.28463062e-12),
    ])
    func ratesAreMAEs(_ step: Int, _ rate: Double) {
        var settings = TrainingSettings()
        (settings.baseLearningRate, settings.batch) = (1.5e-4, 2048)
        let schedule = LearningRateSchedule(
            settings, endsWarmUpAtPeak: false, warmUpSamples: 4000 * 2048, totalSamples: 40000 * 2048)
        #expect(abs(schedule.rate(atSample: step * 2048) - rate) <= 1e-9 * max(rate, 1e-6))
    }

    /// Known answers: rules.json of the golden recipes, "learning rate", with ten steps an epoch: 2.4e-3, 40 of 800 epochs of warm-up.
    @Test(arguments: [
        (0, 0.0), (5, 3e-5), (400, 2.4e-3), (4200, 1.2e-3), (7995, 2.5630888731420495e-09),
    ])
    func ratesOfFractionsOfEpochs(step: Int, rate: Double) {
        let schedule = LearningRateSchedule(peak: 2.4e-3, warmUpSamples: 400, totalSamples: 8000)
        #expect(abs(schedule.rate(atSample: step) - rate) <= 1e-12)
    }

    /// Known answers: the same file's for VideoMAE, 1.2e-3 to 8e-5 in 8000 steps of 2048 clips, 400 of them warm-up.
    @Test(arguments: [
        (0, 0.0), (1, 3.0075187969924808e-06), (399, 1.2e-3), (400, 1.2e-3), (401, 0.001199999952155658), (4200, 6.4e-4),
        (7999, 8.000004784434202e-05), (8000, 8e-5),
    ])
    func ratesAreVideoMAEs(step: Int, rate: Double) {
        var settings = TrainingSettings()
        (settings.baseLearningRate, settings.minimumLearningRate, settings.batch) = (1.5e-4, 1e-5, 2048)
        let schedule = LearningRateSchedule(
            settings, endsWarmUpAtPeak: true, warmUpSamples: 400 * 2048, totalSamples: 8000 * 2048)
        #expect(abs(schedule.rate(atSample: step * 2048) - rate) <= 1e-15)
    }

    /// A table of one step, linspace(0, peak, 1), is 0.
    @Test func aWarmUpOfOneStepIsZero() {
        let schedule = LearningRateSchedule(peak: 1, warmUpSamples: 8, peakSample: 0, totalSamples: 80)
        #expect(schedule.rate(atSample: 0) == 0 && schedule.rate(atSample: 8) == 1)
    }

    @Test func endsAtZero() {
        let schedule = LearningRateSchedule(peak: 1, warmUpSamples: 0, totalSamples: 10)
        #expect(schedule.rate(atSample: 0) == 1)
        #expect(schedule.rate(atSample: 10) == 0)
        #expect(LearningRateSchedule(peak: 1, warmUpSamples: 5, totalSamples: 5).rate(atSample: 5) == 0)
    }
}
