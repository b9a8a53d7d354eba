import Compute
import Console
import Devices
import Foundation
import Media
import ZeroMQ

/// `tandem system`: what this machine offers.
func printSystem(arguments: [String]) throws {
    let options = Arguments("tandem system", about: "Prints the libraries and processor features that Tandem found.", arguments: arguments)
    options.finish()
    var rows = [
        ("libav", libraryVersions),
        ("ZeroMQ", "\(Library.version), \(Library.hasCURVE ? "with" : "without") CURVE"),
    ]
    rows += Device.cpu.findings.map { ($0.name, $0.value) }
    for (name, value) in rows { print(name.padding(toLength: 10, withPad: " ", startingAt: 0) + value) }
}
