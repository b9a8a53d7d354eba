/// The trainers of one run that a batcher serves, once all of them are here but for those that have said goodbye.
struct ServedTrainers {
    private let run: UInt64
    /// Of each rank that is here.
    private var places: [(route: [UInt8], received: Int)?]
    /// Those that need nothing more.
    private var gone: Set<Int> = []
    /// Which rank has asked for a batch, by its first sample.
    var askers: [Int: Int] = [:]

    init(_ trainer: TrainerRank) {
        run = trainer.run
        places = Array(repeating: nil, count: trainer.ranks)
    }

    /// Whether a trainer belongs to them.
    func isOf(_ trainer: TrainerRank) -> Bool { trainer.run == run && trainer.ranks == places.count }

    /// Whether a trainer is one that is here.
    func knows(_ trainer: TrainerRank) -> Bool { isOf(trainer) && places[trainer.rank] != nil }

    var isComplete: Bool { places.indices.allSatisfy { places[$0] != nil || gone.contains($0) } }

    /// The ways to those that are here.
    var routes: [[UInt8]] { places.compactMap { $0?.route } }

    func route(ofRank rank: Int) -> [UInt8]? { places[rank]?.route }

    /// None of them needs a sample before this one.
    var received: Int { places.compactMap { $0?.received }.min() ?? 0 }

    /// Notes a trainer's route, and that it needs no sample of its own before `received`.
    mutating func join(_ rank: Int, _ route: [UInt8], received: Int) {
        places[rank] = (route, received)
        gone.remove(rank)
    }

    /// A trainer leaves.
    /// - Returns: whether it was the last one.
    mutating func leave(_ rank: Int) -> Bool {
        places[rank] = nil
        gone.insert(rank)
        return routes.isEmpty
    }
}
