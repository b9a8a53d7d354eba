import Base
import Foundation

/// How a program shows progress.
public enum ProgressStyle: String, CaseIterable, LosslessStringConvertible, Sendable {
    /// One line, rewritten in place.
    case live
    /// A line every ten seconds.
    case plain
    /// Live on a terminal, else plain.
    case automatic = "auto"

    public init?(_ description: String) { self.init(rawValue: description) }
    public var description: String { rawValue }
}

/// One line about long work on standard error. A live line ends in a carriage return, by which a supervisor knows it too.
public struct ProgressLine {
    private let isLive: Bool
    private var lastShown = -Double.infinity
    private var shownWidth = 0

    public init(_ style: ProgressStyle = .automatic) {
        isLive = style == .live || (style == .automatic && isatty(STDERR_FILENO) == 1)
    }

    /// Shows a line where one is due: five a second live, else one every ten seconds.
    public mutating func show(_ line: @autoclosure () -> String) {
        let now = monotonicSeconds()
        guard now - lastShown >= (isLive ? 0.2 : 10) else { return }
        lastShown = now
        write(line(), ended: isLive ? "\r" : "\n")
    }

    /// Shows the last line, whatever the time, and leaves it standing.
    public mutating func finish(_ line: String) {
        write(line, ended: "\n")
    }

    private mutating func write(_ line: String, ended: String) {
        let padding = isLive ? String(repeating: " ", count: max(0, shownWidth - line.count)) : ""
        shownWidth = ended == "\r" ? line.count : 0
        writeError(line + padding + ended)
    }
}

/// "4 s", "3 min 20 s", "2 h 05 min": a duration for people.
public func formatDuration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "unknown" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \((whole % 60).padded(to: 2)) s" }
    return "\(whole / 3600) h \((whole % 3600 / 60).padded(to: 2)) min"
}

/// A bar with count, rate and time left: "[=====>    ] 120/300 videos  41.2/s  4 s left".
public func progressBar(done: Int, of total: Int, unit: String, elapsed: Double, doneAtStart: Int = 0) -> String {
    let share = total > 0 ? Double(done) / Double(total) : 1
    let filled = Int(share * 24)
    let bar = String(repeating: "=", count: filled) + (filled < 24 ? ">" : "") + String(repeating: " ", count: max(0, 23 - filled))
    let rate = Double(done - doneAtStart) / max(elapsed, 1e-9)
    let left = rate > 0 ? formatDuration(Double(total - done) / rate) + " left" : ""
    return "[\(bar)] \(done)/\(total) \(unit)  \(String(format: "%.1f", rate))/s  \(left)"
}
