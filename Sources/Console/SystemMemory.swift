import Base
import Foundation

/// What the system says about memory, in bytes.
public enum SystemMemory {
    /// What this process could still take: free memory, or what its control group leaves of it.
    public static var available: Int {
        let free = field("MemAvailable", of: "/proc/meminfo") ?? .max
        guard let limit = number(in: "/sys/fs/cgroup/memory.max"), let used = number(in: "/sys/fs/cgroup/memory.current") else {
            return free
        }
        return min(free, max(0, limit - used))
    }

    /// What this process takes now.
    public static var resident: Int { field("VmRSS", of: "/proc/self/status") ?? 0 }

    /// What another process takes now, 0 where there is none of that number.
    public static func resident(ofProcess process: Int32) -> Int { field("VmRSS", of: "/proc/\(process)/status") ?? 0 }

    /// The most that this process has taken at a time.
    public static var highWaterMark: Int { field("VmHWM", of: "/proc/self/status") ?? 0 }

    /// The most that another process has taken at a time; 0 where there is none.
    public static func highWaterMark(of process: Int32) -> Int { field("VmHWM", of: "/proc/\(process)/status") ?? 0 }

    /// Limits what this process can take, other than for files that it maps: more fails as if memory had run out.
    ///
    /// Throws `Failure` where the system refuses, as it does above a limit set before, or where the process could not go on.
    public static func limit(to bytes: Int) throws(Failure) {
        let taken = field("VmData", of: "/proc/self/status") ?? 0
        if bytes < taken + minimumLeft {
            throw Failure(
                "\(formatBytes(bytes)) are too few: \(formatBytes(taken)) are taken already; give \(formatBytes(taken + minimumLeft))")
        }
        let resource = __rlimit_resource_t(RLIMIT_DATA.rawValue)
        var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes)), present = rlimit()
        guard setrlimit(resource, &limit) != 0 else { return }
        let reason = String(cString: strerror(errno))
        let hardLimit = getrlimit(resource, &present) == 0 ? Int(clamping: present.rlim_max) : .max
        throw Failure(
            "the system refuses a limit of \(formatBytes(bytes)): \(reason)"
                + (hardLimit < bytes ? "; it allows at most \(formatBytes(hardLimit)) (ulimit -H -d): ask for no more" : ""))
    }

    /// What a limit must leave: libraries end the process that gets no memory for a few messages and threads.
    private static let minimumLeft = 32 << 20

    /// A line such as "VmHWM:     1234 kB".
    private static func field(_ name: String, of path: String) -> Int? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line.flatMap { Int($0.dropFirst(name.count + 1).filter(\.isNumber)) }.map { $0 << 10 }
    }

    private static func number(in path: String) -> Int? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
}

/// "812 bytes", "86.7 MiB", "1.27 GiB": a size for people.
public func formatBytes(_ bytes: Int) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var (size, unit) = (Double(bytes), 0)
    while size >= 1024, unit < units.count - 1 { (size, unit) = (size / 1024, unit + 1) }
    return unit == 0 ? "\(bytes) bytes" : String(format: unit < 3 ? "%.1f " : "%.2f ", size) + units[unit]
}
