import Sampling

/// Whether a file is the one that was prepared.
extension VideoRecord {
    /// Throws for a file of another number of bytes.
    func requireSize(_ byteCount: Int, at location: String) throws(MediaError) {
        guard byteCount != bytes else { return }
        throw MediaError(.changed, location, "\(path) has \(byteCount) bytes, \(bytes) when it was prepared; prepare again")
    }

    /// Throws for a file of other content.
    func requireContent(_ hash: String, at location: String) throws(MediaError) {
        guard hash != contentHash else { return }
        throw MediaError(.changed, location, "\(path) has the MD5 sum \(hash), \(contentHash) when it was prepared; prepare again")
    }
}
