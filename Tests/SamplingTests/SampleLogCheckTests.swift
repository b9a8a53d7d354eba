import Foundation
import Sampling
import Testing

@Suite struct SampleLogCheckTests {
    /// A log of some samples, three a step.
    private func lines(_ count: Int) -> [String] {
        [SampleLog.header]
            + (0..<count).map { "\($0 / 3 + 1)\t\($0 % 3)\t\($0)\t\($0)\t0\t0\tclip.mp4\t1,9\t1,9\t4x4+0+0\t0\tff\t\($0 * 7)" }
    }

    private func check(_ logs: [String]...) -> String {
        do {
            let named = zip("abc", logs).map { (path: "\($0)", data: Data($1.map { $0 + "\n" }.joined().utf8)) }
            let proof = try SampleLogCheck.check(named)
            let steps = proof.logs.map { $0.runs.map { "\($0.samplesPerStep) from \($0.firstStep)" }.joined(separator: ", ") }
            return "\(proof.logs.map(\.samples)) \(proof.common) \(steps[0])"
        } catch { return "\(error)" }
    }

    @Test func wholeLogsOfOneStreamAreProved() {
        #expect(check(lines(9)) == "[9] 9 3 from 1")
        #expect(check(lines(9), lines(9), lines(5)) == "[9, 9, 5] 5 3 from 1")
        #expect(check(lines(2)) == "[2] 2 2 from 1")
        #expect(check(lines(0)) == "[0] 0 ")
    }

    @Test func theFirstFaultIsNamed() {
        var lost = lines(9)
        lost.remove(at: 5)
        #expect(check(lost).hasPrefix("a, line 6: sample 5, where sample 4 belongs: 1 missing"))
        var again = lines(9)
        again.insert(again[5], at: 6)
        #expect(check(again).hasPrefix("a, line 7: sample 4 comes again"))
        var swapped = lines(9)
        swapped.swapAt(3, 4)
        #expect(check(lines(9), swapped).hasPrefix("b, line 4: sample 3, where sample 2 belongs"))
        var skipped = lines(9)
        skipped[7] = skipped[7].replacing("3\t0\t", with: "4\t0\t")
        #expect(check(skipped) == "a, line 8: step 4, slot 0, where step 2, slot 3 belongs")
        var ragged = lines(9)
        ragged[6] = ragged[6].replacing("2\t2\t", with: "3\t1\t")
        #expect(check(ragged) == "a, line 7: step 3, slot 1, where step 2, slot 2 belongs")
        #expect(check(["nonsense"]).hasPrefix("a, line 1"))
        #expect(check(lines(3) + ["2\t0"]).hasPrefix("a, line 5: this line is cut off"))
    }

    /// Two steps of 3, then the run goes on with steps of 2, the last of which takes what is left.
    @Test func anotherBatchIsTold() {
        var changed = lines(11)
        for (index, place) in ["3\t0", "3\t1", "4\t0", "4\t1", "5\t0"].enumerated() {
            let columns = changed[7 + index].split(separator: "\t").dropFirst(2)
            changed[7 + index] = ([Substring(place)] + columns).joined(separator: "\t")
        }
        #expect(check(changed) == "[11] 11 3 from 1, 2 from 3, 1 from 5")
    }

    @Test func differencesNameTheColumn() {
        var other = lines(9)
        other[7] = other[7].replacing("\t42", with: "\t43")
        #expect(check(lines(9), lines(9), other) == "c, line 8: sample 6: pixels is 43, not 42, unlike a")
    }

    @Test func aLogWithoutAnEndIsCutOff() {
        let text = lines(4).joined(separator: "\n")
        #expect(throws: SampleLogCheck.Fault.self) { try SampleLogCheck.check([(path: "a", data: Data(text.utf8))]) }
    }
}
