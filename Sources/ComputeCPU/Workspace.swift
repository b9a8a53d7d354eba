import Compute

/// Memory of one thread for one task, kept from task to task.
///
/// Pieces are taken one behind the other and never move. It grows where a task needs more than any before it.
final class Workspace {
    private var chunks: [UnsafeMutableRawBufferPointer] = []
    private var position = Mark(chunk: 0, used: 0)

    /// How much has been taken.
    struct Mark {
        fileprivate var chunk: Int
        fileprivate var used: Int
    }

    /// What has been taken so far.
    var mark: Mark { position }

    /// Takes back all that was taken after `mark`.
    func clear(to mark: Mark) { position = mark }

    /// Takes everything back, as at a task's start.
    func clear() {
        if chunks.count > 1 {
            let size = chunks.reduce(0) { $0 + $1.count }
            free()
            grow(size)
        }
        position = Mark(chunk: 0, used: 0)
    }

    /// An uninitialised matrix, each row `stride` elements long: as long as it is wide, if nothing is said.
    func block(_ rows: Int, _ columns: Int, stride: Int? = nil, _ precision: Precision = .f32) -> MatrixView {
        let stride = stride ?? columns
        return MatrixView(take(rows * stride * precision.byteCount), precision, rows, columns, stride: stride)
    }

    private func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let rounded = (byteCount + 63) & ~63
        while position.chunk < chunks.count, position.used + rounded > chunks[position.chunk].count {
            position = Mark(chunk: position.chunk + 1, used: 0)
        }
        if position.chunk == chunks.count { grow(max(rounded, 1 << 20)) }
        defer { position.used += rounded }
        return chunks[position.chunk].baseAddress! + position.used
    }

    private func grow(_ byteCount: Int) { chunks.append(.allocate(byteCount: byteCount, alignment: 64)) }

    private func free() {
        for chunk in chunks { chunk.deallocate() }
        chunks = []
    }

    deinit { free() }
}
