import Base
import Console
import Foundation

/// The page that `tandem report` makes of the run, beside the training: anew after each evaluation, one at a time.
///
/// A page that cannot be made is told of once, and harms nothing.
final class RunPage {
    private let folder: String
    private var maker: (process: Process, errors: Pipe)?
    private var isDue = false
    private var hasToldOfFailure = false
    /// Seconds that the end of a run waits for its last page.
    private static let timeout = 60.0

    init(ofRun folder: String) { self.folder = folder }

    /// Has the page made, now or once the one in the making is there.
    func renew() {
        isDue = true
        tend()
    }

    /// Looks after what ``renew()`` asked for, without waiting.
    func tend() {
        if let maker {
            guard !maker.process.isRunning else { return }
            self.maker = nil
            if maker.process.terminationStatus != 0 {
                // What it says may be long only where it is not ours.
                let words = String(decoding: (try? maker.errors.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
                tell(words.trimmingCharacters(in: .whitespacesAndNewlines).cut(toBytes: 1000).onOneLine)
            }
        }
        guard isDue else { return }
        isDue = false
        do {
            let process = try siblingProcess("tandem", ["report", folder]), errors = Pipe()
            process.standardOutput = FileHandle.nullDevice
            process.standardError = errors
            try process.run()
            maker = (process, errors)
        } catch { tell(sentence(of: error)) }
    }

    /// Waits until the last page is there.
    func finish() {
        let deadline = monotonicSeconds() + Self.timeout
        while maker != nil || isDue, monotonicSeconds() < deadline {
            tend()
            usleep(10_000)
        }
        maker?.process.terminate()
    }

    private func tell(_ reason: String) {
        guard !hasToldOfFailure, !Interruption.isRequested else { return }
        hasToldOfFailure = true
        note("the run goes on without \(folder)/report.html: \(reason)")
    }
}
