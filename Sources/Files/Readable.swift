import Glibc

/// Why a path cannot be read as a file, as the end of a sentence: "there is no such file". Nil where it can be.
///
/// Asked before anything is opened: to open a pipe waits for somebody who writes into it.
package func obstacleToReading(_ path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return errno == ENOENT ? "there is no such file" : String(cString: strerror(errno)) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return access(path, R_OK) == 0 ? nil : String(cString: strerror(errno))
    case S_IFDIR: return "it is a folder"
    default: return "it is a pipe, a socket or a device, and no file"
    }
}
