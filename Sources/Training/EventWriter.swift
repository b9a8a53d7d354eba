import Foundation

/// Writes a TensorBoard event file into a run's folder: one file per process start.
///
/// After a resume TensorBoard reads the files in the order of their names and drops, at a session start, every event of the steps that are
/// run again; so a curve never shows a step twice.
public struct EventWriter: ~Copyable {
    private let file: OwnedFile

    /// Starts a new file `events.out.tfevents.TIME.HOST.PID` in `folder`.
    /// - Parameter step: the last step that counts; 0 for a fresh run, the checkpoint's step after a resume.
    public init(folder: String, continuingAfter step: Int) throws {
        let now = Date().timeIntervalSince1970
        let name = "events.out.tfevents.\(Int(now)).\(ProcessInfo.processInfo.hostName).\(ProcessInfo.processInfo.processIdentifier)"
        let opening = EventRecord.fileVersion(wallTime: now) + EventRecord.sessionStart(wallTime: now, step: step + 1)
        let file = try OwnedFile(appendingTo: (folder as NSString).appendingPathComponent(name))
        try file.write(opening)
        self.file = file
    }

    /// Numbers at one step, each under its own tag ("train/loss").
    public func scalars(step: Int, _ values: [(tag: String, value: Float)]) throws {
        try file.write(EventRecord.scalars(wallTime: Date().timeIntervalSince1970, step: step, values))
    }

    /// A PNG picture at one step.
    public func image(step: Int, tag: String, png: [UInt8], width: Int, height: Int) throws {
        try file.write(
            EventRecord.image(wallTime: Date().timeIntervalSince1970, step: step, tag: tag, png: png, width: width, height: height))
    }
}
