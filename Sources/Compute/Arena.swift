/// Device memory for the tensors of a step, taken from the backend once and used again in every step.
///
/// A tensor's memory returns when its last view is gone, and is handed out again to the next tensor of the same size; when no tensor is
/// left, the arena starts over from its beginning. A training loop therefore allocates in its first step only, and places every tensor at
/// the same address in every later one. Not to be shared between threads.
public final class Arena {
    /// The backend whose memory this is.
    public let backend: any Backend
    private var chunks: [DeviceMemory] = []
    private var chunk = 0
    private var used = 0
    private var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
    private var live = 0

    /// An empty arena.
    public init(backend: any Backend) {
        self.backend = backend
    }

    /// Bytes taken from the backend so far: the most that was ever needed, rounded up.
    public var capacityInBytes: Int { chunks.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.size }

    /// A tensor with undefined contents.
    public func tensor(_ shape: [Int]) -> Tensor {
        let block = Block(count: Arena.rounded(shape.reduce(1, *)), arena: self)
        return Tensor(shape: shape, pointer: block.pointer, owner: block)
    }

    /// Sizes are multiples of a cache line, so that no two tensors share one.
    private static func rounded(_ count: Int) -> Int { max(16, (count + 15) & ~15) }

    private static let chunkCount = 16 << 20

    fileprivate func take(_ count: Int) -> UnsafeMutablePointer<Float> {
        live += 1
        if let pointer = free[count]?.popLast() { return pointer }
        while chunk < chunks.count, used + count > chunks[chunk].count {
            chunk += 1
            used = 0
        }
        if chunk == chunks.count { chunks.append(DeviceMemory(count: max(count, Arena.chunkCount), backend: backend)) }
        defer { used += count }
        return chunks[chunk].pointer + used
    }

    fileprivate func giveBack(_ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
        live -= 1
        if live > 0 {
            free[count, default: []].append(pointer)
        } else {
            free.removeAll(keepingCapacity: true)
            chunk = 0
            used = 0
        }
    }
}

/// What tensors of an arena share: the memory, returned when the last of them is gone.
private final class Block {
    let pointer: UnsafeMutablePointer<Float>
    private let count: Int
    private let arena: Arena

    init(count: Int, arena: Arena) {
        self.count = count
        self.arena = arena
        pointer = arena.take(count)
    }

    deinit { arena.giveBack(pointer, count) }
}

/// Memory of a device, zero at first, given back when the last reference is gone.
public final class DeviceMemory {
    /// The first element, aligned to a cache line at least.
    public let pointer: UnsafeMutablePointer<Float>
    /// Number of elements.
    public let count: Int
    private let backend: any Backend

    /// Takes `count` floats from `backend`.
    public init(count: Int, backend: any Backend) {
        self.count = count
        self.backend = backend
        pointer = backend.allocate(count)
    }

    deinit { backend.deallocate(pointer, count) }
}
