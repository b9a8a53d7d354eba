extension Manifest {
    /// The record of a path relative to the media folder; nil where there is none.
    ///
    /// - Throws: ``ManifestError`` where a record on the way is damaged.
    public func record(of path: String) throws(ManifestError) -> VideoRecord? {
        let wanted = Array(path.utf8)
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            let record = try self[middle]
            let found = Array(record.path.utf8)
            if found == wanted { return record }
            if found.lexicographicallyPrecedes(wanted) { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}
