/// What label propagation asks of a device beyond a model's maths.
public protocol SimilarityBackend: Backend {
    /// For each of a frame's cells, `queries` `[cells, dimension]`, the `k` cells of its context with the largest dot products, best first;
    /// of those as good as the last of them, up to `ties` more. Cells are numbered row by row. No matrix of all products exists.
    func topKAffinity(_ queries: Tensor, _ context: [ContextFrame], neighbourhood: Neighbourhood, k: Int, ties: Int) -> Matches
}

/// Which cells of another frame a grid's cells are compared with: those at a horizontal distance up to a reach that the vertical one decides.
public struct Neighbourhood: Equatable, Sendable {
    public let height: Int
    public let width: Int
    /// For each vertical distance below `height` the largest horizontal one, in cells; negative where there is none. It never grows.
    public let reach: [Int32]

    public init(height: Int, width: Int, reach: [Int32]) {
        precondition(reach.count == height && zip(reach, reach.dropFirst()).allSatisfy { $0 >= $1 }, "a reach \(reach) for \(height) rows")
        self.height = height
        self.width = width
        self.reach = reach
    }

    public var cells: Int { height * width }

    /// Of all pairs of a cell with another frame's those that are compared.
    public var pairs: Int {
        /// Pairs of rows, or of columns, that far apart.
        func pairs(_ count: Int, _ distance: Int) -> Int { distance == 0 ? count : 2 * (count - distance) }
        return reach.enumerated().reduce(0) { sum, row in
            sum + pairs(height, row.offset) * (0..<min(Int(row.element) + 1, width)).reduce(0) { $0 + pairs(width, $1) }
        }
    }
}

/// A frame that cells are compared with.
public struct ContextFrame {
    /// `[cells, dimension]`.
    public let features: Tensor
    /// How many times each of its cells competes where it lies in the neighbourhood, and where it lies outside.
    public let copies: (inside: Int, outside: Int)

    public init(_ features: Tensor, copies: (inside: Int, outside: Int) = (1, 0)) {
        self.features = features
        self.copies = copies
    }
}

/// For each cell of a frame the cells of its context that are most like it, best first.
public struct Matches: Sendable {
    /// Room for each cell.
    public let capacity: Int
    /// How many each cell has: `[cells]`.
    public var counts: [Int32]
    /// Their similarities: `[cells, capacity]`.
    public var scores: [Float]
    /// Frame in the context · cells + cell: `[cells, capacity]`.
    public var sources: [Int32]

    /// Room for the matches of some cells.
    public init(cells: Int, capacity: Int) {
        self.capacity = capacity
        counts = [Int32](repeating: 0, count: cells)
        scores = [Float](repeating: 0, count: cells * capacity)
        sources = [Int32](repeating: 0, count: cells * capacity)
    }
}
