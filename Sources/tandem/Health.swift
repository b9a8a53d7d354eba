import Console
import Foundation
import Metrics

/// `tandem health`: how a process of a run is, for people and for those who watch over containers.
func health(arguments: [String]) throws {
    var options = Arguments(
        "tandem health",
        about: "Asks a batcher, decoder, trainer or evaluator that was started with --metrics how it is, and prints what it says."
            + " Exit code 0 where it makes progress or has nothing to do, 1 where it is stuck or nobody answers.", arguments: arguments)
    let address = options.operand("[HOST:]PORT", "what the process was given as --metrics")
    options.finish()
    let health = try Health(of: StatusAddress(address))
    print(health.sentence)
    if !health.isHealthy { exit(1) }
}
