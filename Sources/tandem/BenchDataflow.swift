import Console

/// `tandem bench dataflow`: what passes through a batcher.
func benchDataflow(arguments: [String]) throws {
    var options = Arguments(
        "tandem bench dataflow", about: simulationAbout, arguments: arguments)
    let simulates = options.flag("--simulate", "drive the batcher's decisions alone, in virtual time")
    let tickets = options.value("--tickets", "N", "visits to videos for each row", default: 200_000)
    let seed = options.value("--seed", "SEED", "of everything that happens", default: UInt64(1))
    let asJSON = options.flag("--json", "print one JSON object")
    if !simulates { options.refuse("--simulate is missing") }
    if tickets < 1000 { options.refuse("--tickets wants 1000 or more") }
    options.finish()
    try simulateDataflow(tickets: tickets, seed: seed, asJSON: asJSON)
}
