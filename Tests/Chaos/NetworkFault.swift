/// What is done to the network between the hosts of a run.
enum NetworkFault: String, CaseIterable {
    case delay = "200 ms of delay each way"
    case loss = "5 % of all packets lost"
    case rate = "a rate of 64 kB/s"
    case pullDecoders = "a decoder host's cable pulled for a minute"
    case pullRun = "the run's host's cable pulled for a minute"
    case removeHost = "a decoder host and its address gone for good"

    /// The run's host's cable under a fault that processes are killed under, nil for others.
    var cable: Cable? {
        switch self {
        case .delay: Cable(delay: 0.2)
        case .loss: Cable(loss: 0.05)
        case .rate: Cable(rate: 64_000)
        case .pullDecoders, .pullRun, .removeHost: nil
        }
    }

    /// Seconds for which a cable stays pulled, and for which others of its states last.
    static let (pulled, disturbed) = (60.0, 10.0)
    /// What is killed meanwhile, one every few seconds.
    static let kills: [Fault] = [.killDecoder, .killBatcher, .killDecoder, .killTrainer, .killEvaluator]
    static let killInterval = 2.5
}
