import Foundation
import Ranks

/// Ranks that are threads of this process.
public final class InMemoryRanks: Ranks {
    public let rank: Int
    public let count: Int
    private let post: Post

    private init(rank: Int, count: Int, post: Post) { (self.rank, self.count, self.post) = (rank, count, post) }

    /// Messages on their way, by sender and receiver.
    private final class Post: @unchecked Sendable {
        private let condition = NSCondition()
        private var messages: [[Int]: [[UInt8]]] = [:]

        func send(_ bytes: [UInt8], from: Int, to: Int) {
            condition.withLock { messages[[from, to], default: []].append(bytes) }
            condition.broadcast()
        }

        func receive(from: Int, to: Int) -> [UInt8] {
            condition.lock()
            defer { condition.unlock() }
            while messages[[from, to], default: []].isEmpty { condition.wait() }
            return messages[[from, to]]!.removeFirst()
        }
    }

    private final class Results<Result>: @unchecked Sendable { var values: [Swift.Result<Result, any Error>?] = [] }

    public func exchange(
        sending sent: UnsafeRawBufferPointer, to: Int?, receiving received: UnsafeMutableRawBufferPointer, from: Int?
    ) throws {
        if let to { post.send(Array(sent), from: rank, to: to) }
        guard let from else { return }
        let bytes = post.receive(from: from, to: rank)
        precondition(bytes.count == received.count, "\(bytes.count) bytes came for \(received.count)")
        received.copyBytes(from: bytes)
    }

    /// What each of some ranks comes to, each on a thread of its own.
    public static func run<Result>(_ count: Int, _ body: @escaping @Sendable (InMemoryRanks) throws -> Result) throws -> [Result] {
        let (post, results, group) = (Post(), Results<Result>(), DispatchGroup())
        results.values = (0..<count).map { _ in nil }
        let lock = NSLock()
        for rank in 0..<count {
            group.enter()
            let thread = Thread {
                let result = Swift.Result { try body(InMemoryRanks(rank: rank, count: count, post: post)) }
                lock.withLock { results.values[rank] = result }
                group.leave()
            }
            thread.start()
        }
        group.wait()
        return try results.values.map { try $0!.get() }
    }
}
