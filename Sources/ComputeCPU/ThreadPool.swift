import Glibc
import Synchronization

/// A few threads that divide the indices of a loop among themselves.
///
/// Owned by one thread, which takes its share of every loop. Locks, the only ones of the maths half, let idle threads sleep: decoders and an
/// evaluator usually run on the same cores. Before it sleeps, a thread offers its core to others for some microseconds, because
/// in a training step the next loop comes at once.
final class ThreadPool: @unchecked Sendable {
    /// Threads that take part in a loop, the owner included.
    let threadCount: Int
    private let next = Atomic(0)
    private let generation = Atomic(0)
    private let active = Atomic(0)
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let loopStarted = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let loopLeft = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var threads: [pthread_t] = []

    // Guarded by the mutex.
    private var loop: Loop?
    private var isEnding = false

    private struct Loop {
        let count: Int
        /// Lives on the owner's stack; a thread holds no reference of its own beyond the loop.
        let body: UnsafePointer<(_ index: Int, _ thread: Int) -> Void>
    }

    /// How often a thread looks again, yielding its core in between, before it sleeps: some 30 µs.
    private static let timeout = 100

    /// Starts `threadCount - 1` threads.
    init(threadCount: Int) {
        precondition(threadCount > 0, "a loop needs a thread")
        self.threadCount = threadCount
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(loopStarted, nil)
        pthread_cond_init(loopLeft, nil)
        for index in 1..<max(threadCount, 1) { start(index) }
    }

    deinit {
        pthread_mutex_lock(mutex)
        isEnding = true
        generation.add(1, ordering: .releasing)
        pthread_cond_broadcast(loopStarted)
        pthread_mutex_unlock(mutex)
        for thread in threads { pthread_join(thread, nil) }
        pthread_cond_destroy(loopLeft)
        pthread_cond_destroy(loopStarted)
        pthread_mutex_destroy(mutex)
        loopLeft.deallocate()
        loopStarted.deallocate()
        mutex.deallocate()
    }

    /// Calls `body(index, thread)` for every index below `count`, each once, in any order and on any of the threads; returns when all are done.
    /// `thread` tells the threads apart, for scratch memory. What `body` computes must not depend on it.
    func parallelFor(_ count: Int, _ body: (_ index: Int, _ thread: Int) -> Void) {
        guard threadCount > 1, count > 1 else {
            for index in 0..<count { body(index, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: body) { body in
                let loop = Loop(count: count, body: body)
                open(loop)
                work(loop, thread: 0)
                close()
            }
        }
    }

    private func open(_ loop: Loop) {
        pthread_mutex_lock(mutex)
        self.loop = loop
        next.store(0, ordering: .relaxed)
        generation.add(1, ordering: .releasing)
        pthread_cond_broadcast(loopStarted)
        pthread_mutex_unlock(mutex)
    }

    /// Lets no further thread into the loop, and waits for those that are in it.
    private func close() {
        for _ in 0..<ThreadPool.timeout where active.load(ordering: .acquiring) > 0 { sched_yield() }
        pthread_mutex_lock(mutex)
        loop = nil
        while active.load(ordering: .acquiring) > 0 { pthread_cond_wait(loopLeft, mutex) }
        pthread_mutex_unlock(mutex)
    }

    @inline(never)
    private func work(_ loop: Loop, thread: Int) {
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            if index >= loop.count { return }
            loop.body.pointee(index, thread)
        }
    }

    private func serve(thread: Int) {
        var seen = 0
        while true {
            for _ in 0..<ThreadPool.timeout where generation.load(ordering: .acquiring) == seen { sched_yield() }
            pthread_mutex_lock(mutex)
            while generation.load(ordering: .acquiring) == seen { pthread_cond_wait(loopStarted, mutex) }
            seen = generation.load(ordering: .acquiring)
            let loop = loop
            let isEnding = isEnding
            if loop != nil { active.add(1, ordering: .acquiringAndReleasing) }
            pthread_mutex_unlock(mutex)
            if isEnding { return }
            guard let loop else { continue }
            work(loop, thread: thread)
            pthread_mutex_lock(mutex)
            active.subtract(1, ordering: .acquiringAndReleasing)
            pthread_cond_signal(loopLeft)
            pthread_mutex_unlock(mutex)
        }
    }

    /// A thread refers to the pool without owning it: the pool joins it before it goes.
    private func start(_ index: Int) {
        final class Ticket: Sendable {
            let pool: Unmanaged<ThreadPool>
            let index: Int
            init(pool: ThreadPool, index: Int) {
                self.pool = .passUnretained(pool)
                self.index = index
            }
        }
        var thread = pthread_t()
        let ticket = Unmanaged.passRetained(Ticket(pool: self, index: index))
        let result = pthread_create(
            &thread, nil,
            { argument in
                let ticket = Unmanaged<Ticket>.fromOpaque(argument!).takeRetainedValue()
                ticket.pool._withUnsafeGuaranteedRef { $0.serve(thread: ticket.index) }
                return nil
            }, ticket.toOpaque())
        precondition(result == 0, "no thread could be started: \(String(cString: strerror(result)))")
        threads.append(thread)
    }
}
