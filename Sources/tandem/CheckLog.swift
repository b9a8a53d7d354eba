import Base
import Console
import Files
import Foundation
import Sampling

/// `tandem check-log`: whether logs of samples are whole and the same.
func checkLog(arguments: [String]) throws {
    var options = Arguments(
        "tandem check-log",
        about: """
            Proves that sample logs (--sample-log of a run) hold every sample once and in order, and that several logs are the same bytes
            as far as the shorter ones go. Exit code 1, and the first difference, where they are not.
            """, arguments: arguments)
    let paths = options.remainingOperands("LOG", "sample logs")
    if paths.isEmpty { options.refuse("LOG is missing") }
    options.finish()
    let logs = try paths.map { path in
        if let obstacle = obstacleToReading(path) { throw Failure("\(path) cannot be read as a log of samples: \(obstacle)") }
        return (path: path, data: try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe))
    }
    let proof = try SampleLogCheck.check(logs)
    for (log, content) in zip(logs, proof.logs) {
        print("\(log.path): \(content.samples) samples, each once, in order\(stepsText(content.runs))")
    }
    if logs.count > 1 { print("the same bytes in all: the first \(proof.common) samples") }
}

/// ", in steps of 8, from step 31 on of 16".
private func stepsText(_ runs: [SampleLogCheck.Content.Run]) -> String {
    guard let first = runs.first else { return "" }
    let changes = runs.dropFirst().prefix(5).map { ", from step \($0.firstStep) on of \($0.samplesPerStep)" }.joined()
    return ", in steps of \(first.samplesPerStep)" + changes + (runs.count > 6 ? ", and \(runs.count - 6) more changes" : "")
}
