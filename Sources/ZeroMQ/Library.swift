import CZeroMQ

/// What libzmq says of itself.
public enum Library {
    /// Its version, "4.3.4".
    public static var version: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        zmq_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }

    /// Whether it can encrypt and authenticate connections.
    public static var hasCURVE: Bool { zmq_has("curve") == 1 }
}
