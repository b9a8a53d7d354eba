import Base
import Foundation

/// Folder of this program and its siblings.
public let programFolder: String = {
    let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: path).deletingLastPathComponent().path
}()

/// Goes on as a sibling of this program: returns only by an error, where the sibling cannot be started.
///
/// - Parameter name: what the user called, which the sibling finds as its own name.
public func become(_ program: String, as name: String, _ arguments: [String]) throws(Failure) -> Never {
    let path = programFolder + "/" + program
    var pointers = ([name] + arguments).map { strdup($0) } + [nil]
    execv(path, &pointers)
    throw Failure("\(path) cannot be started: \(String(cString: strerror(errno))); 'make build' builds all programs")
}
