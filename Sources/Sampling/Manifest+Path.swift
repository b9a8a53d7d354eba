extension Manifest {
    /// The record of a path relative to the media folder; nil where there is none.
    ///
    /// - Throws: ``ManifestError`` where a record on the way is damaged.
    public func record(of path: String) throws(ManifestError) -> VideoRecord? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            let record = try self[middle]
            if record.path.utf8.elementsEqual(path.utf8) { return record }
            if record.path.utf8.lexicographicallyPrecedes(path.utf8) { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}
