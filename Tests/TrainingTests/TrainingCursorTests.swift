import Testing
import Training

struct TrainingCursorTests {
    /// The sizes of a cursor's steps.
    private func sizes(_ cursor: TrainingCursor) -> [Int] {
        var (cursor, sizes) = (cursor, [Int]())
        let total = cursor.totalSteps
        while !cursor.isFinished {
            sizes.append(cursor.stepSize)
            cursor.finishStep()
            #expect(cursor.totalSteps == total)
        }
        #expect(cursor.step == total && cursor.stepSize == 0)
        return sizes
    }

    @Test func wholeStepsWhereTheBatchNeverChanges() {
        #expect(sizes(TrainingCursor(batch: 8, totalSamples: 48)) == [8, 8, 8, 8, 8, 8])
        #expect(sizes(TrainingCursor(batch: 8, totalSamples: 48, step: 4, samplesSeen: 32)) == [8, 8])
        #expect(sizes(TrainingCursor(batch: 8, totalSamples: 48, step: 6, samplesSeen: 48)).isEmpty)
    }

    /// After 3 steps of 8 the batch becomes 10: 24 of 48 samples are left, and the last step takes 4.
    @Test func theLastStepTakesWhatIsLeft() {
        let cursor = TrainingCursor(batch: 10, totalSamples: 48, step: 3, samplesSeen: 24)
        #expect(cursor.totalSteps == 6)
        #expect(sizes(cursor) == [10, 10, 4])
    }

    /// A run that was made shorter than what it has seen is over.
    @Test func nothingIsLeftBeyondTheEnd() {
        let cursor = TrainingCursor(batch: 8, totalSamples: 40, step: 6, samplesSeen: 48)
        #expect(cursor.isFinished && cursor.totalSteps == 6 && cursor.stepSize == 0)
    }
}
