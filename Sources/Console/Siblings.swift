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
    try execute(programFolder + "/" + program, [name] + arguments)
}

/// Goes on as a launcher, which starts a sibling of this program: returns only by an error.
///
/// - Parameter launcher: another program on the path, with its arguments.
public func become(_ launcher: [String], of program: String, _ arguments: [String]) throws(Failure) -> Never {
    try execute("/usr/bin/env", ["env"] + launcher + [sibling(program)] + arguments)
}

private func execute(_ path: String, _ words: [String]) throws(Failure) -> Never {
    var pointers = words.map { strdup($0) } + [nil]
    execv(path, &pointers)
    throw Failure("\(path) cannot be started: \(String(cString: strerror(errno))); 'make build' builds all programs")
}

/// Where a sibling of this program lies; throws where it is missing.
public func sibling(_ program: String) throws(Failure) -> String {
    let path = programFolder + "/" + program
    guard FileManager.default.isExecutableFile(atPath: path) else {
        throw Failure("\(path) is missing; 'make build' builds all programs")
    }
    return path
}

/// A sibling of this program, to be started by a thread that outlives it. It is asked to stop where this program ends before it, even killed.
///
/// - Parameter launcher: another program on the path, with its arguments, that starts it; empty: this one does.
public func siblingProcess(_ program: String, _ arguments: [String], by launcher: [String] = []) throws(Failure) -> Process {
    let process = Process(), path = try sibling(program)
    process.executableURL = URL(fileURLWithPath: launcher.isEmpty ? path : "/usr/bin/env")
    process.arguments = (launcher.isEmpty ? [] : launcher + [path]) + arguments
    process.standardInput = FileHandle.nullDevice
    process.environment = ProcessInfo.processInfo.environment.merging([parentVariable: "\(getpid())"]) { $1 }
    return process
}

/// The variable of the environment in which a program tells its siblings who it is.
let parentVariable = "TANDEM_PARENT"

/// Runs a sibling of this program to its end. Its errors are shown as they come.
///
/// - Returns: its exit code, and what it prints.
/// - Throws: where it is missing, and where a signal ends it.
public func runSibling(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: Data) {
    let process = try siblingProcess(program, arguments), pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationReason == .exit else { throw Failure("\(program) ended by signal \(process.terminationStatus)") }
    return (process.terminationStatus, output)
}
