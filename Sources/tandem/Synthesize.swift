import Base
import Console
import Foundation
import Media
import Sampling
import Synchronization
import Synthesis

/// `tandem synthesize`: the embedded data set.
func synthesize(arguments: [String]) throws {
    var options = Arguments(
        "tandem synthesize",
        about: "Makes a data set of moving textured scenes, a pure function of the seed: videos to train on in OUTPUT/train, and sequences"
            + " to measure on with exact masks, parts and joints in OUTPUT/davis, OUTPUT/vip and OUTPUT/jhmdb. With --classification also videos"
            + " of classes: those of OUTPUT/classification/motion are told apart by motion alone, those of OUTPUT/classification/appearance"
            + " by looks. With --flow OUTPUT/flow has the exact optical flow of sequences, from each frame to the next, as .flo files; with"
            + " --correspondences OUTPUT/correspondence has where the first frame shows what later ones show, LATER-FIRST.flo (above 1e9: nowhere),"
            + " and LATER-FIRST.png, whose numbers say: 0 not seen there, 1 background, 2 an object, 3 hidden in some frame between. 'tandem"
            + " analyze' reads them. What is there already is kept.",
        arguments: arguments)
    let seed = options.value("--seed", "N", "which data set", default: UInt64(0))
    let videos = options.value("--videos", "N", "how many training videos", default: 100)
    let shortSide = options.value(
        "--short-side", "N", "pixels of the training videos' shorter side, even", default: SyntheticSet.usualSide)
    let sequences = options.value("--sequences", "N", "how many validation sequences", default: 10)
    let classification = options.value(
        "--classification", "N", "videos of each class to learn from, and half as many to be judged by", default: 0)
    let hasFlow = options.flag("--flow", "write the optical flow of sequences, 0.7 MB a frame")
    let hasCorrespondences = options.flag(
        "--correspondences", "write where the first frame shows what frames 1, 2, 4, 8, 16 and 32 show, 4 MB a sequence")
    let threads = options.value("--threads", "N", "scenes drawn at a time", default: ProcessInfo.processInfo.activeProcessorCount)
    let output = options.operand("OUTPUT", "the folder to fill")
    let counts = 0...1_000_000
    if ![videos, sequences, classification].allSatisfy(counts.contains) {
        options.refuse("--videos, --sequences and --classification want 0 to \(counts.upperBound)")
    }
    if !(32...1024).contains(shortSide) || shortSide % 2 != 0 {
        options.refuse("--short-side wants an even number from 32 to 1024, not \(shortSide)")
    }
    if !(1...1024).contains(threads) { options.refuse("--threads wants 1 to 1024, not \(threads)") }
    options.finish()

    Interruption.catchSignals()
    let set = SyntheticSet(
        folder: output, seed: seed, videos: videos, shortSide: shortSide, sequences: sequences,
        extras: SequenceFolders.Extras(flow: hasFlow, correspondences: hasCorrespondences), classification: classification)
    let claimed = try set.claimFolder()
    defer { claimed.release() }
    let missing = set.scenes.filter { !set.exists($0) }
    let kept = set.scenes.count - missing.count
    let start = monotonicSeconds()
    func bar(_ done: Int) -> String {
        progressBar(
            done: kept + done, of: set.scenes.count, unit: "scenes", elapsed: monotonicSeconds() - start, doneAtStart: kept)
    }
    var progress = ProgressLine()
    try forEachInParallel(missing, threads: threads) { scene in
        try set.write(scene)
    } whileWaiting: {
        progress.show(bar($0))
    }
    guard !Interruption.isRequested else { throw Failure("interrupted; run it again, and it continues") }
    try set.writeSequenceLists()
    progress.finish(bar(missing.count))
}

/// Runs work on every element on some threads, until one fails or the program is interrupted.
///
/// - Parameter whileWaiting: called a few times a second, on the calling thread, with the number of elements done.
/// - Throws: the first error of any thread, after all of them have stopped.
private func forEachInParallel<Element: Sendable>(
    _ elements: [Element], threads: Int, _ work: @escaping @Sendable (Element) throws -> Void, whileWaiting: (Int) -> Void
) throws {
    let shared = SharedProgress()
    let group = DispatchGroup()
    for _ in 0..<min(threads, elements.count) {
        DispatchQueue.global().async(group: group) {
            while !Interruption.isRequested {
                let number = shared.next.add(1, ordering: .relaxed).oldValue
                guard number < elements.count else { return }
                do {
                    try work(elements[number])
                    shared.done.add(1, ordering: .relaxed)
                } catch {
                    shared.next.store(elements.count, ordering: .relaxed)
                    shared.failure.withLock { $0 = $0 ?? error }
                }
            }
        }
    }
    while group.wait(timeout: .now() + 0.2) == .timedOut { whileWaiting(shared.done.load(ordering: .relaxed)) }
    if let failure = shared.failure.withLock({ $0 }) { throw failure }
}

/// What the threads of one parallel loop share.
private final class SharedProgress: Sendable {
    let next = Atomic(0)
    let done = Atomic(0)
    // A lock, because an error does not fit in an atomic; taken only by a thread that fails.
    let failure = Mutex<(any Error)?>(nil)
}
