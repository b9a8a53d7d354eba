import Console
import Foundation

/// `tandem system`: what this machine offers.
func printSystem(arguments: [String]) throws {
    Arguments("tandem system", about: "Prints the libraries and processor features that Tandem found.", arguments: arguments).finish()
    print("cores     \(ProcessInfo.processInfo.activeProcessorCount)")
}
