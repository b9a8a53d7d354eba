import ComputeCPU
import Console
import Foundation
import Media
import ZeroMQ

/// `tandem system`: what this machine offers.
func printSystem(arguments: [String]) throws {
    let options = Arguments("tandem system", about: "Prints the libraries and processor features that Tandem found.", arguments: arguments)
    options.finish()
    let rows = [
        ("libav", libraryVersions),
        ("ZeroMQ", "\(Library.version), \(Library.hasCURVE ? "with" : "without") CURVE"),
        ("compute", computeSummary),
        ("oneDNN", dlopen("libdnnl.so.2", RTLD_LAZY) == nil ? "not found (not needed for f32)" : "found (not needed for f32)"),
        ("cores", "\(CPUBackend.availableCores)"),
    ]
    for (name, value) in rows { print(name.padding(toLength: 10, withPad: " ", startingAt: 0) + value) }
}

private var computeSummary: String {
    do {
        return try CPUBackend().summary
    } catch {
        return error.description
    }
}
