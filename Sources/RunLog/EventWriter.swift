import Files
import Foundation

/// Writes a TensorBoard event file into a run's folder: one file per process start.
///
/// TensorBoard reads the files in the order of their names. Its two loaders differ where steps go back. The default one (its data server)
/// takes any lower step for a restart, and drops what the same tag has at that step and later. The other one (`--load_fast false`) knows a
/// restart only by its session start, and drops what all tags have.
public struct EventWriter: ~Copyable {
    /// Numbers at one step, each under its own tag ("train/loss").
    public typealias Scalars = (step: Int, values: [(tag: String, value: Float)])

    private let file: OwnedFile

    /// Starts a new file `events.out.tfevents.TIME.HOST.PID` in `folder`, whose name comes after those of all that are there.
    /// - Parameters:
    ///   - step: the last step that counts; -1 for a fresh run, the checkpoint's step after a resume.
    ///   - last: the last numbers of each tag that count. They are written again, so that the default loader drops the steps that are about
    ///     to run again.
    public init(folder: String, continuingAfter step: Int, last: [Scalars] = []) throws {
        let now = Date().timeIntervalSince1970
        let prefix = "events.out.tfevents."
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let times = names.filter { $0.hasPrefix(prefix) }.compactMap { Int($0.dropFirst(prefix.count).prefix(10)) }
        // Two starts within a second, or the slow clock of another host, must not change the order of the files.
        let time = max(Int(now), (times.max() ?? 0) + 1)
        let name = "\(prefix)\(time).\(ProcessInfo.processInfo.hostName).\(ProcessInfo.processInfo.processIdentifier)"
        let opening = EventRecord.fileVersion(wallTime: now) + EventRecord.sessionStart(wallTime: now, step: step + 1)
        let file = try OwnedFile(appendingTo: (folder as NSString).appendingPathComponent(name))
        try file.write(opening + Self.records(last))
        self.file = file
    }

    /// Numbers at one step, each under its own tag.
    public func scalars(step: Int, _ values: [(tag: String, value: Float)]) throws { try scalars([(step, values)]) }

    /// Numbers of several steps in this order, all of them or none. Where a number is written late, the later numbers of its tag must be
    /// written once more after it.
    public func scalars(_ steps: [Scalars]) throws { try file.write(Self.records(steps)) }

    /// The tag of a score's curve.
    public static func tag(ofScore name: String) -> String { "scores/" + name }

    /// Scores of a step, and once more those of later steps that were noted before it.
    public func scores(step: Int, _ scores: [(name: String, value: Double)], noted: [RunFolder.Record]) throws {
        let names = Set(scores.map(\.name))
        func tagged(_ values: some Sequence<(key: String, value: Double)>) -> [(tag: String, value: Float)] {
            values.map { (Self.tag(ofScore: $0.key), Float($0.value)) }
        }
        let later = noted.filter { $0.step > step }.sorted { $0.step < $1.step }
        try scalars(
            [(step, tagged(scores.map { (key: $0.name, value: $0.value) }))]
                + later.map { record in (record.step, tagged(record.values.filter { names.contains($0.key) })) })
    }

    private static func records(_ steps: [Scalars]) -> [UInt8] {
        let now = Date().timeIntervalSince1970
        return steps.flatMap { EventRecord.scalars(wallTime: now, step: $0.step, $0.values) }
    }

    /// A PNG picture at one step.
    public func image(step: Int, tag: String, png: [UInt8], width: Int, height: Int) throws {
        try file.write(
            EventRecord.image(wallTime: Date().timeIntervalSince1970, step: step, tag: tag, png: png, width: width, height: height))
    }
}
