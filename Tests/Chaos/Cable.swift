/// How a host hangs on the wire. Both directions suffer alike.
struct Cable: Equatable, LosslessStringConvertible {
    /// Seconds that a packet takes.
    var delay = 0.0
    /// Share of packets that get lost.
    var loss = 0.0
    /// Bytes a second; 0: no limit.
    var rate = 0.0
    var isPulled = false

    init(delay: Double = 0, loss: Double = 0, rate: Double = 0, isPulled: Bool = false) {
        (self.delay, self.loss, self.rate, self.isPulled) = (delay, loss, rate, isPulled)
    }

    var description: String { "\(delay),\(loss),\(rate),\(isPulled ? 1 : 0)" }

    init?(_ description: String) {
        let numbers = description.split(separator: ",").compactMap { Double($0) }
        guard numbers.count == 4 else { return nil }
        self.init(delay: numbers[0], loss: numbers[1], rate: numbers[2], isPulled: numbers[3] != 0)
    }
}
