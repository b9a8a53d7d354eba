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

/// What a sibling of this program prints. Its errors are shown as they come; where it fails, this program ends as it did.
public func answer(of program: String, _ arguments: [String]) throws -> Data {
    let process = Process(), pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: programFolder + "/" + program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    guard FileManager.default.isExecutableFile(atPath: process.executableURL!.path) else {
        throw Failure("\(programFolder)/\(program) is missing; 'make build' builds all programs")
    }
    try process.run()
    let answer = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationReason == .exit else { throw Failure("\(program) ended by signal \(process.terminationStatus)") }
    if process.terminationStatus != 0 { exit(process.terminationStatus) }
    return answer
}
