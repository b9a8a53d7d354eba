import Foundation
import Sampling
import Synchronization

/// Threads that prepare videos; each takes the next video that no other thread has taken.
final class PreparationWorkers: Sendable {
    private let folder: String
    private let server: MediaServer?
    private let output: String
    private let transcoding: Transcoding?
    private let work: [PreparationSource]
    private let next = Atomic<Int>(0)
    private let isStopping = Atomic<Bool>(false)
    private let threads = DispatchGroup()
    /// The only state that the threads share under a lock: findings wait here for the thread that keeps the journal.
    private let finished = Mutex<(findings: [PreparationFinding], failure: MediaError?)>(([], nil))

    init(folder: String, server: MediaServer?, output: String, transcoding: Transcoding?, work: [PreparationSource]) {
        self.folder = folder
        self.server = server
        self.output = output
        self.transcoding = transcoding
        self.work = work
    }

    func start(_ count: Int) {
        for _ in 0..<count {
            threads.enter()
            let thread = Thread {
                self.workUntilNothingIsLeft()
                self.threads.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// Stops each thread before its next frame, and waits for all; unfinished files are removed.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        threads.wait()
    }

    /// The error that ended the work, where it is no fault of a video.
    var failure: MediaError? { finished.withLock(\.failure) }

    func takeFindings() -> [PreparationFinding] {
        finished.withLock { finished in
            defer { finished.findings = [] }
            return finished.findings
        }
    }

    private func workUntilNothingIsLeft() {
        while !isStopping.load(ordering: .relaxed) {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < work.count else { return }
            do throws(MediaError) {
                let finding = try prepare(work[index])
                finished.withLock { $0.findings.append(finding) }
            } catch {
                if isStopping.load(ordering: .relaxed) { return }
                // Neither is the video's fault.
                if [.cannotWrite, .serverAway].contains(error.reason) {
                    finished.withLock { $0.failure = error }
                    isStopping.store(true, ordering: .relaxed)
                    return
                }
                let finding = PreparationFinding(file: work[index].file, reason: error.reason, detail: detail(of: error, in: work[index]))
                finished.withLock { $0.findings.append(finding) }
            }
        }
    }

    /// What is wrong, and with which file where that is not the source itself but one of its pictures or what it was to become.
    private func detail(of error: MediaError, in source: PreparationSource) -> String {
        if error.path == folder + "/" + source.file.path { return error.detail }
        let path = error.path.hasPrefix(folder + "/") ? String(error.path.dropFirst(folder.count + 1)) : error.path
        return path + ": " + error.detail
    }

    private func prepare(_ source: PreparationSource) throws(MediaError) -> PreparationFinding {
        let path = source.file.path
        func checkpoint() throws(MediaError) {
            if isStopping.load(ordering: .relaxed) { throw MediaError(.timedOut, path, "interrupted") }
        }
        guard let transcoding else {
            let location = source.file.location(in: folder, server: server)
            var record =
                if isStillFile(path) {
                    try VideoRecord.inspectStill(path, at: location)
                } else {
                    try VideoRecord.inspect(path, at: location) { (_, _, frame) throws(MediaError) in
                        try checkpoint()
                        let picture = Conversion.Side(frame)
                        guard picture.isReadable else { throw picture.unreadable(in: folder + "/" + path) }
                    }
                }
            record.archive = source.file.archive
            return PreparationFinding(file: source.file, record: try usable(record, path))
        }
        let (record, quality, framesPerPairBefore) = try transcoding.transcode(
            source.file.location(in: folder, server: server), to: source.name, in: output, checkpoint: checkpoint)
        let figures = Transcoding.Figures(
            bytesBefore: source.file.bytes, quality: quality, framesPerPairBefore: framesPerPairBefore,
            framesPerPairAfter: record.framesPerPair)
        return PreparationFinding(file: source.file, record: try usable(record, path), transcoding: figures)
    }

    /// The record of a source, if a manifest can hold it.
    private func usable(_ record: VideoRecord, _ path: String) throws(MediaError) -> VideoRecord {
        if let fault = record.fault { throw MediaError(.unsupported, folder + "/" + path, fault) }
        return record
    }
}
