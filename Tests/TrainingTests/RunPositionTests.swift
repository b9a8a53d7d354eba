import Testing
import Training

@Suite struct RunPositionTests {
    private func position(_ step: Int, of total: Int, epochs: Double) -> RunPosition {
        RunPosition(step: step, totalSteps: total, progress: Double(step) / Double(total), epochs: epochs, seed: 0)
    }

    /// Every step belongs to the epoch that counting by whole numbers gives, whatever a quotient rounds to.
    @Test(arguments: [(3, 5), (7, 100), (10, 30), (13, 800)]) func epochs(perEpoch: Int, epochs: Int) {
        for step in 0..<perEpoch * epochs {
            #expect(position(step, of: perEpoch * epochs, epochs: Double(epochs)).epoch == step / perEpoch)
        }
        for count in 0...epochs {
            #expect(position(0, of: perEpoch * epochs, epochs: Double(epochs)).steps(ofEpochs: count) == count * perEpoch)
        }
    }

    /// Steps of which the last begins within the epochs.
    @Test func stepsOfEpochsThatDoNotDivide() {
        #expect(position(0, of: 10, epochs: 4).steps(ofEpochs: 1) == 3)
        #expect(position(0, of: 10, epochs: 0.5).steps(ofEpochs: 1) == 10)
    }

    @Test func halfACosine() {
        #expect(position(0, of: 8, epochs: 1).cosine(from: 0.996, to: 1) == 0.996)
        #expect(abs(position(4, of: 8, epochs: 1).cosine(from: 0.996, to: 1) - 0.998) < 1e-12)
        #expect(abs(position(8, of: 8, epochs: 1).cosine(from: 0.04, to: 0.4) - 0.4) < 1e-12)
    }
}
