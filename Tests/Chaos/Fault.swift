/// What is done to the run.
enum Fault: String, CaseIterable {
    case killDecoder = "a decoder killed (-9)"
    case killBatcher = "the batcher killed (-9)"
    case killTrainer = "the trainer, or one of several, killed (-9)"
    case killEvaluator = "the evaluator killed (-9)"
    case killAll = "everything killed (-9) at once"
    case pauseDecoder = "a decoder stopped (SIGSTOP) and continued"
    case pauseBatcher = "the batcher stopped (SIGSTOP) and continued"
    case pauseTrainer = "the trainer, or one of several, stopped (SIGSTOP) and continued"
    case decoderJoins = "a decoder joins"
    case decoderLeaves = "a decoder leaves"
    case restartBatcher = "the batcher restarted"
    case restartTrainer = "the trainer restarted"
    case removeSockets = "the sockets' files removed, the batcher restarted"
    case twins = "two decoders under one identity"
    case fillDisk = "the disk under the checkpoints full, and freed"

    /// How often a fault comes up in one round.
    private var weight: Int {
        switch self {
        case .killDecoder, .decoderJoins, .decoderLeaves: 3
        case .killTrainer, .pauseDecoder: 2
        default: 1
        }
    }

    /// One round of faults, in random order.
    static func round<Generator: RandomNumberGenerator>(using random: inout Generator) -> [Fault] {
        allCases.flatMap { Array(repeating: $0, count: $0.weight) }.shuffled(using: &random)
    }
}
