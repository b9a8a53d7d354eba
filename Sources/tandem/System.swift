import ComputeCPU
import Console
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
    do {
        let backend = try CPUBackend()
        rows += [("OpenBLAS", backend.libraries.openBLAS), ("oneDNN", backend.libraries.oneDNN), ("compute", backend.summary)]
    } catch {
        rows.append(("compute", error.description))
    }
    rows.append(("cores", "\(CPUBackend.availableCores)"))
    for (name, value) in rows { print(name.padding(toLength: 10, withPad: " ", startingAt: 0) + value) }
}
