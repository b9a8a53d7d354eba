import Glibc

/// What ends the name of a file that is being written. No user calls a file so: what bears the name was left behind by a process that
/// was killed, and may go.
package let partialSuffix = ".tandem.partial"

/// The name under which a file is written until it is whole, free to be created.
package func partialPath(of path: String) -> String {
    let partial = path + partialSuffix
    unlink(partial)
    return partial
}
