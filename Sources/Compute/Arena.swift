/// Device memory for the tensors and arrays of a step, taken from the backend once and used again in every step.
///
/// A tensor's memory returns when its last view is gone. A new tensor gets the smallest free piece that it fits into, which is the same one
/// in every step: a training loop takes memory from the backend in its first step only. Not to be shared between threads.
public final class Arena {
    /// The backend whose memory this is.
    public let backend: any Backend
    private var chunks: [DeviceMemory] = []
    /// Free pieces by chunk and address; neighbours are joined.
    private var free: [Piece] = []

    /// For each chunk the bytes from its start that tensors have ever taken.
    private var extents: [Int] = []

    /// Bytes that tensors have ever taken, gaps between them included: what the arena adds to the process.
    public var touchedBytes: Int { extents.reduce(0, +) }

    private struct Piece {
        var address: UnsafeMutableRawPointer
        var byteCount: Int
        var end: UnsafeMutableRawPointer { address + byteCount }
        var chunk: Int

        func joins(_ next: Piece) -> Bool { chunk == next.chunk && end == next.address }
        static func < (a: Piece, b: Piece) -> Bool { (a.chunk, a.address) < (b.chunk, b.address) }
    }

    /// An empty arena.
    public init(backend: any Backend) {
        self.backend = backend
    }

    /// Bytes taken from the backend so far.
    public var capacityInBytes: Int { chunks.reduce(0) { $0 + $1.byteCount } }

    /// A tensor with undefined contents.
    public func tensor(_ shape: [Int], _ precision: Precision = .f32) -> Tensor {
        let block = Block(byteCount: Arena.rounded(shape.reduce(precision.byteCount, *)), arena: self)
        return Tensor(shape: shape, precision: precision, address: block.piece.address, owner: block)
    }

    /// An array with undefined contents.
    public func array<Element>(of type: Element.Type, count: Int) -> DeviceArray<Element> {
        let block = Block(byteCount: Arena.rounded(count * MemoryLayout<Element>.stride), arena: self)
        return DeviceArray(count: count, address: block.piece.address, owner: block)
    }

    /// Indices of the host, copied to the device: made once, read by as many calls as need them.
    public func indices(_ numbers: [Int32]) -> DeviceArray<Int32> {
        let indices = array(of: Int32.self, count: numbers.count)
        backend.upload(indices, from: numbers)
        return indices
    }

    /// What views of one piece of an arena share: the memory, returned when the last of them is gone.
    private final class Block {
        let piece: Piece
        private let arena: Arena

        init(byteCount: Int, arena: Arena) {
            self.arena = arena
            piece = arena.take(byteCount)
        }

        deinit { arena.giveBack(piece) }
    }

    /// Sizes are multiples of a cache line, so that no two tensors share one.
    private static func rounded(_ count: Int) -> Int { max(64, (count + 63) & ~63) }

    private static let chunkBytes = 64 << 20

    private func take(_ byteCount: Int) -> Piece {
        let index = minimumFree(byteCount) ?? grow(byteCount)
        let taken = Piece(address: free[index].address, byteCount: byteCount, chunk: free[index].chunk)
        extents[taken.chunk] = max(extents[taken.chunk], taken.end - chunks[taken.chunk].address)
        if free[index].byteCount == byteCount {
            free.remove(at: index)
        } else {
            free[index].address += byteCount
            free[index].byteCount -= byteCount
        }
        return taken
    }

    private func minimumFree(_ byteCount: Int) -> Int? {
        free.indices.lazy.filter { self.free[$0].byteCount >= byteCount }.min { self.free[$0].byteCount < self.free[$1].byteCount }
    }

    /// Adds a chunk that `byteCount` fit into; returns its index among the free pieces, the last.
    private func grow(_ byteCount: Int) -> Int {
        let chunk = DeviceMemory(byteCount: max(byteCount, Arena.chunkBytes), backend: backend)
        free.append(Piece(address: chunk.address, byteCount: chunk.byteCount, chunk: chunks.count))
        chunks.append(chunk)
        extents.append(0)
        return free.count - 1
    }

    private func giveBack(_ piece: Piece) {
        var index = free.firstIndex { piece < $0 } ?? free.count
        free.insert(piece, at: index)
        if index > 0, free[index - 1].joins(piece) { index -= 1 }
        while index + 1 < free.count, free[index].joins(free[index + 1]) {
            free[index].byteCount += free[index + 1].byteCount
            free.remove(at: index + 1)
        }
    }
}
