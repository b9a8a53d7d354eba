import Testing
import Training

struct TrainingCourseTests {
    /// The sizes of a course's steps.
    private func sizes(_ course: TrainingCourse) -> [Int] {
        var (course, sizes) = (course, [Int]())
        let total = course.totalSteps
        while !course.isFinished {
            sizes.append(course.stepSize)
            course.finishStep()
            #expect(course.totalSteps == total)
        }
        #expect(course.step == total && course.stepSize == 0)
        return sizes
    }

    @Test func wholeStepsWhereTheBatchNeverChanges() {
        #expect(sizes(TrainingCourse(batch: 8, totalSamples: 48)) == [8, 8, 8, 8, 8, 8])
        #expect(sizes(TrainingCourse(batch: 8, totalSamples: 48, step: 4, samplesSeen: 32)) == [8, 8])
        #expect(sizes(TrainingCourse(batch: 8, totalSamples: 48, step: 6, samplesSeen: 48)).isEmpty)
    }

    /// After 3 steps of 8 the batch becomes 10: 24 of 48 samples are left, and the last step takes 4.
    @Test func theLastStepTakesWhatIsLeft() {
        let course = TrainingCourse(batch: 10, totalSamples: 48, step: 3, samplesSeen: 24)
        #expect(course.totalSteps == 6)
        #expect(sizes(course) == [10, 10, 4])
    }

    /// A run that was made shorter than what it has seen is over.
    @Test func nothingIsLeftBeyondTheEnd() {
        let course = TrainingCourse(batch: 8, totalSamples: 40, step: 6, samplesSeen: 48)
        #expect(course.isFinished && course.totalSteps == 6 && course.stepSize == 0)
    }
}
