import Foundation

/// Decoded videos, handed out in their order, while some threads decode those to come.
///
/// A lock, because threads wait for each other here: for a video to be decoded, and for one to be taken. A few videos are in memory at a time.
final class VideosAhead<Video: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private let count: Int
    private let limit: Int

    // Guarded by the condition's lock.
    private var decoded: [Int: Result<Video, any Error>] = [:]
    private var begun = 0
    private var taken = 0
    private var isStopped = false

    /// Begins to decode.
    ///
    /// - Parameters:
    ///   - limit: videos that are decoded or being decoded and not yet taken, at most.
    ///   - makeDecoder: called on each thread, for what decodes a video by its number there.
    init(count: Int, threads: Int, limit: Int, makeDecoder: @escaping @Sendable () -> (Int) throws -> Video) {
        (self.count, self.limit) = (count, limit)
        for _ in 0..<min(threads, count) {
            let thread = Thread { self.work(makeDecoder()) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// The next video, or why there is none.
    func next() -> Result<Video, any Error> {
        condition.withLock {
            precondition(taken < count, "all \(count) videos are taken")
            while true {
                if let video = decoded.removeValue(forKey: taken) {
                    taken += 1
                    condition.broadcast()
                    return video
                }
                condition.wait()
            }
        }
    }

    /// Has the threads begin no other video.
    func stop() {
        condition.withLock {
            isStopped = true
            condition.broadcast()
        }
    }

    private func work(_ decode: (Int) throws -> Video) {
        while let number = begin() {
            let video = Result { try decode(number) }
            condition.withLock {
                decoded[number] = video
                condition.broadcast()
            }
        }
    }

    /// The number of a video to decode; nil: there is none.
    private func begin() -> Int? {
        condition.withLock {
            while !isStopped, begun < count, begun >= taken + limit { condition.wait() }
            guard !isStopped, begun < count else { return nil }
            begun += 1
            return begun - 1
        }
    }
}
